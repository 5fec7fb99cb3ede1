// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// Verifies proofs of any circuit (halo2 with KZG and SHPLONK over BN254, Keccak transcript, as EZKL
/// and Twain make them). The circuit's key comes with every call, as twain create-evm-vka makes it,
/// and has to be registered once. Anybody may register anything: a caller compares the digest that
/// verifyProof returns with that of the circuit it means.
contract TwainVerifierReusable {
    /// Keys that may be used, by digest.
    mapping(bytes32 => bool) public registered;

    event VkaRegistered(address from, bytes32 digest, bytes32[] vka);

    /// Lets a key be used. Returns its digest.
    function registerVka(bytes32[] calldata vka) external returns (bytes32 digest) {
        digest = keccak256(abi.encodePacked(vka));
        registered[digest] = true;
        emit VkaRegistered(msg.sender, digest, vka);
    }

    /// Returns true, the key's digest, and the instances as decimal fractions (but for digests); or
    /// reverts: without data if the proof is not valid for these instances.
    function verifyProof(bytes calldata proof, uint256[] calldata instances, bytes32[] calldata vka)
        external
        view
        returns (bool success, bytes32 vka_digest, int256[] memory rescaled_instances)
    {
        vka_digest = keccak256(abi.encodePacked(vka));
        require(registered[vka_digest], "VKA not registered");
        // The key in memory, from 0x280 on. Its first words:
        //   0 number of instances         1 bytes of a proof       2, 3 evaluations, their end
        //   4 log2 of the rows            5 blinding rows          6 last row's root of unity
        //   7, 8 root of unity, inverse   9 1 / rows               10 key in the transcript
        //   11.. point of G2              15 challenges            16 transcript
        //   17 table of rows              18 results               19 words of the transcript's steps
        //   20, 21 words of the halves    22 number of terms       23 product to invert
        //   24 first point                25 position of x         26 opening
        //   27 decimals                   28 digests
        // Addresses are in bytes of memory. Then the transcript's steps, the two halves of the
        // arithmetic, the terms, and the instances' scales; then constants and points.
        assembly {
$functions
            function key(position) -> word { word := mload(add(0x280, shl(5, position))) }

            // Results are a b + c, with five steps in a word of 16 bits for each address (in words).
            function arithmetic(code, end, to) {
                let r := mload(0)
                for { } lt(code, end) { code := add(code, 0x20) } {
                    let word := mload(code)
$steps
                    to := add(to, 0xa0)
                }
            }

            // An instance, whose sign is that of the smallest number it is congruent to, times
            // 10^decimals / 2^scale, towards zero; the number itself where there is no room.
            function rescaled(value, scale, unit) -> result {
                let r := mload(0)
                let negative := gt(value, shr(1, r))
                if negative { value := sub(r, value) }
                if iszero(shr(190, value)) { value := shr(scale, mul(value, unit)) }
                result := value
                if negative { result := sub(0, value) }
            }

            mstore(0, 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001)
            calldatacopy(0x280, vka.offset, shl(5, vka.length))
            let count := key(0)
            if iszero(and(eq(proof.length, key(1)), eq(instances.length, count))) { revert(0, 0) }
            let transcript := key(16)
            let challenges := key(15)
            // A word before is the key's; the instances follow, then the proof.
            calldatacopy(transcript, instances.offset, shl(5, count))
            let proofAt := add(transcript, shl(5, count))
            calldatacopy(proofAt, proof.offset, proof.length)
            canonical(transcript, proofAt)
            canonical(key(2), key(3))

            let code := add(0x280, mul(29, 0x20))
            {
                let state := key(10)
                let to := challenges
                let at := transcript
                for { let end := add(code, shl(5, key(19))) } lt(code, end) { code := add(code, 0x20) } {
                    let step := mload(code)
                    let next := shr(8, step)
                    let squeezes := and(step, 0xff)
                    state := squeeze(state, at, next, squeezes, to)
                    to := add(to, shl(5, squeezes))
                    at := next
                }
            }
            {
                let end := add(code, shl(5, key(20)))
                arithmetic(code, end, key(18))
                code := end
            }
            rows(add(0x280, 0x80), key(17), mload(key(25)), mload(key(23)), transcript, count)
            {
                let end := add(code, shl(5, key(21)))
                arithmetic(code, end, add(key(18), mul(0xa0, key(20))))
                code := end
            }
            {
                let first := key(24)
                mstore(0x20, mload(first))
                mstore(0x40, mload(add(first, 0x20)))
                // Eight terms in a word, of 16 bits for each address (in words): point, weight.
                for { let terms := key(22) } terms { } {
                    let word := mload(code)
                    code := add(code, 0x20)
                    for { let left := 8 } and(gt(left, 0), gt(terms, 0)) { left := sub(left, 1) } {
                        termAt(and(shr(235, word), 0x1fffe0), mload(and(shr(219, word), 0x1fffe0)))
                        word := shl(32, word)
                        terms := sub(terms, 1)
                    }
                }
            }
            pair(key(26), key(11), key(12), key(13), key(14))

            // The answer, over the proof. Digests come first, and have no scale.
            let unit := exp(10, key(27))
            transcript := add(transcript, shl(5, key(28)))
            count := sub(count, key(28))
            mstore(proofAt, 1)
            mstore(add(proofAt, 0x20), vka_digest)
            mstore(add(proofAt, 0x40), 0x60)
            mstore(add(proofAt, 0x60), count)
            for { let i := 0 } lt(i, count) { i := add(i, 1) } {
                let scale := byte(and(i, 31), mload(add(code, and(i, not(31)))))
                let value := mload(add(transcript, shl(5, i)))
                mstore(add(add(proofAt, 0x80), shl(5, i)), rescaled(value, scale, unit))
            }
            return(proofAt, add(0x80, shl(5, count)))
        }
    }
}
