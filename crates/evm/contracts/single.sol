// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// Verifies proofs of one circuit, whose key is part of the code (halo2 with KZG and SHPLONK over
/// BN254, Keccak transcript, as EZKL and Twain make them). Made by twain create-evm-verifier.
contract TwainVerifier {
    /// Returns true, or reverts: without data if the proof is not valid for these instances.
    function verifyProof(bytes calldata proof, uint256[] calldata instances)
        external
        view
        returns (bool)
    {
        assembly {
$functions
            if iszero(and(eq(proof.length, $proof_length), eq(instances.length, $instance_count))) {
                revert(0, 0)
            }
            mstore(0, 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001)
            calldatacopy($instances, instances.offset, $instance_bytes)
            calldatacopy($proof, proof.offset, $proof_length)
            canonical($instances, $proof)
            canonical($evaluations, $evaluations_end)

            // The transcript: the key, the instances, the proof.
            let state := $key
$transcript

            // What has to be inverted besides the rows' distances.
$first_half
            mstore($circuit, $k)
            mstore(add($circuit, 0x20), $blinding)
            mstore(add($circuit, 0x40), $first_root)
            mstore(add($circuit, 0x60), $omega)
            mstore(add($circuit, 0x80), $omega_inverse)
            mstore(add($circuit, 0xa0), $rows_inverse)
            rows($circuit, $table, mload($x), $product, $instances, $instance_count)

            // The weights of the points.
$second_half
            mstore(0x20, mload($first))
            mstore(0x40, mload(add($first, 0x20)))
$terms
            pair($opening, $s_g2)
            mstore(0, 1)
            return(0, 0x20)
        }
    }
}
