//! What is refused or warned of before work is done for it: sizes no circuit has, operations
//! without a layout, what two parties cannot prove, what a proof does not say.

pub(crate) mod constraint_system_size;
pub(crate) mod proof_warnings;
pub(crate) mod provable_by_pairs;
pub(crate) mod rows;
pub(crate) mod supported_operations;
pub(crate) mod tensor_size;
