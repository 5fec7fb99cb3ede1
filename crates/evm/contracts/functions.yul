            // Memory: word 0 is the order of the group; from 0x20 on, twelve words for calls of
            // precompiled contracts, of which the first two are the sum of points so far.

            // 1 / value, which is not 0.
            function inverse(value) -> result {
                if iszero(value) { revert(0, 0) }
                mstore(0x20, 0x20)
                mstore(0x40, 0x20)
                mstore(0x60, 0x20)
                mstore(0x80, value)
                mstore(0xa0, sub(mload(0), 2))
                mstore(0xc0, mload(0))
                if iszero(staticcall(gas(), 5, 0x20, 0xc0, 0x20, 0x20)) { revert(0, 0) }
                result := mload(0x20)
            }

            // Reverts unless all words are below the order of the group.
            function canonical(from, to) {
                let r := mload(0)
                let all := 1
                for { } lt(from, to) { from := add(from, 0x20) } { all := and(all, lt(mload(from), r)) }
                if iszero(all) { revert(0, 0) }
            }

            // Absorbs from start to end, and squeezes challenges into memory. The state takes the
            // place of the word before for the moment.
            function squeeze(state, start, end, count, to) -> next {
                let before := sub(start, 0x20)
                let word := mload(before)
                mstore(before, state)
                next := keccak256(before, sub(end, before))
                mstore(before, word)
                mstore(to, mod(next, mload(0)))
                for { } gt(count, 1) { count := sub(count, 1) } {
                    // Nothing was absorbed since: a byte tells this state from the one before.
                    mstore(0x20, next)
                    mstore8(0x40, 1)
                    next := keccak256(0x20, 33)
                    to := add(to, 0x20)
                    mstore(to, mod(next, mload(0)))
                }
            }

            // Lagrange polynomials at x of consecutive rows, from the last row on, into memory from
            // table to end; factor is (x^n - 1) / n. Returns the inverse of start.
            function lagrange(circuit, table, end, x, start, factor) -> running {
                let r := mload(0)
                let root := mload(add(circuit, 0x40))
                running := start
                let at := table
                for { } lt(at, end) { at := add(at, 0x20) } {
                    mstore(at, running)
                    running := mulmod(running, addmod(x, sub(r, root), r), r)
                    root := mulmod(root, mload(add(circuit, 0x60)), r)
                }
                running := inverse(running)
                for { } gt(at, table) { } {
                    at := sub(at, 0x20)
                    root := mulmod(root, mload(add(circuit, 0x80)), r)
                    mstore(at, mulmod(mulmod(root, factor, r), mulmod(running, mload(at), r), r))
                    running := mulmod(running, addmod(x, sub(r, root), r), r)
                }
            }

            // Into memory from 0x1a0 on: x^n, 1 / (x^n - 1), the first row's and the last row's
            // Lagrange polynomial, the sum of the usable rows', the instances' polynomial, and the
            // inverse of product. The circuit's words: log2 of its rows, blinding rows, the last
            // row's root of unity, the first root, its inverse, 1 / n.
            function rows(circuit, table, x, product, values, count) {
                let r := mload(0)
                let power := x
                for { let k := mload(circuit) } k { k := sub(k, 1) } { power := mulmod(power, power, r) }
                mstore(0x1a0, power)
                // The last row, the blinding rows, the first row, and as many as there are instances.
                let end := add(mload(add(circuit, 0x20)), add(add(count, iszero(count)), 1))
                end := add(table, shl(5, end))
                let vanishing := addmod(power, sub(r, 1), r)
                let inverted := lagrange(
                    circuit, table, end, x, mulmod(vanishing, product, r),
                    mulmod(vanishing, mload(add(circuit, 0xa0)), r)
                )
                mstore(0x1c0, mulmod(inverted, product, r))
                mstore(0x260, mulmod(inverted, vanishing, r))
                sums(table, mload(add(circuit, 0x20)), values, count)
            }

            // What follows from the table of Lagrange polynomials.
            function sums(table, blinding, values, count) {
                let r := mload(0)
                let sum := mload(table)
                mstore(0x200, sum)
                for { } blinding { blinding := sub(blinding, 1) } {
                    table := add(table, 0x20)
                    sum := addmod(sum, mload(table), r)
                }
                table := add(table, 0x20)
                mstore(0x1e0, mload(table))
                mstore(0x220, addmod(1, sub(r, sum), r))
                sum := 0
                for { } count { count := sub(count, 1) } {
                    sum := addmod(sum, mulmod(mload(values), mload(table), r), r)
                    values := add(values, 0x20)
                    table := add(table, 0x20)
                }
                mstore(0x240, sum)
            }

            // Adds a multiple of a point to the sum of points.
            function term(px, py, scalar) {
                mstore(0x60, px)
                mstore(0x80, py)
                mstore(0xa0, scalar)
                let ok := staticcall(gas(), 7, 0x60, 0x60, 0x60, 0x40)
                ok := and(staticcall(gas(), 6, 0x20, 0x80, 0x20, 0x40), ok)
                if iszero(ok) { revert(0, 0) }
            }

            // The same, of a point in memory.
            function termAt(point, scalar) {
                term(mload(point), mload(add(point, 0x20)), scalar)
            }

            // Reverts unless e(opening, [s]) = e(sum, 1).
            function pair(opening, s0, s1, s2, s3) {
                let q := 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47
                mstore(0xe0, mload(0x20))
                mstore(0x100, mod(sub(q, mload(0x40)), q))
                mstore(0x20, mload(opening))
                mstore(0x40, mload(add(opening, 0x20)))
                mstore(0x60, s0)
                mstore(0x80, s1)
                mstore(0xa0, s2)
                mstore(0xc0, s3)
                mstore(0x120, 0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2)
                mstore(0x140, 0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed)
                mstore(0x160, 0x090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b)
                mstore(0x180, 0x12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa)
                if iszero(staticcall(gas(), 8, 0x20, 0x180, 0x20, 0x20)) { revert(0, 0) }
                if iszero(eq(mload(0x20), 1)) { revert(0, 0) }
            }
