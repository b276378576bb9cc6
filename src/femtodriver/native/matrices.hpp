// Weights as the kernels take them, and the kernels: exact sums of products in 32 bits.

#pragma once

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "arithmetic.hpp"
#include "dot_products.hpp"
#include "eight_sums.hpp"
#include "matrix_costs.hpp"
#include "records.hpp"

namespace {

constexpr i64 kBlockWeights = 2 * kLanes;

// The weights of one instruction. Those of two neighbouring columns stand side by side, for eight rows at a time: a block.
// Dense: panel by panel, pair by pair. Sparse: group by group, without the blocks that are zero.
struct Matrix {
    bool stale = true;    // to be decoded before the next execution
    bool touched = false; // stored to since the last reset
    i64 pairs = 0, groups = 0, decode_elements = 0;
    bool bytes = true, dense = true, wide = false;
    std::vector<i64> segment;        // pairs at which sums are added up, so that they fit 32 bits
    std::vector<i64> begin;          // first block of each segment and group, and the end
    std::vector<std::uint16_t> pair; // of each block of a sparse matrix
    std::vector<std::int8_t> narrow; // blocks of 8-bit weights
    std::vector<std::int16_t> broad; // the same, where some weight has more than 8 bits
    std::vector<i64> plain;          // columns x rows, where sums of two products do not fit 32 bits
    Quads quads;                     // the same again, where dense ones of 8 bits are taken four columns at a time
    MatrixCosts costs;
    i64 bytes_kept[4] = {}; // first and end byte of the stored weights, and of the mask

    bool meets(i64 first, i64 end) const {
        return (first < bytes_kept[1] && bytes_kept[0] < end) || (first < bytes_kept[3] && bytes_kept[2] < end);
    }
};

// Where sums have to be added up; false: sums of two columns may be too much.
inline bool divide(Matrix& m, const i64* values, i64 columns, i64 rows, i64 x_bits) {
    const i64 most = (i64{1} << 31) >> (x_bits <= 8 ? 7 : 15);
    std::vector<i64> sums(rows, 0), both(rows, 0);
    m.segment.assign(1, 0);
    for (i64 pair = 0; pair < m.pairs; pair++) {
        const i64 *one = values + 2 * pair * rows, *other = 2 * pair + 1 < columns ? one + rows : nullptr;
        i64 largest = 0, largest_alone = 0;
        for (i64 row = 0; row < rows; row++) {
            both[row] = std::abs(one[row]) + (other ? std::abs(other[row]) : 0);
            sums[row] += both[row];
            largest = std::max(largest, sums[row]);
            largest_alone = std::max(largest_alone, both[row]);
        }
        if (largest_alone >= most) return false;
        if (largest >= most) {
            m.segment.push_back(pair);
            sums = both;
        }
    }
    m.segment.push_back(m.pairs);
    return true;
}

// Block after block through ``put``.
template <class Put> void pack_blocks(Matrix& m, const i64* values, i64 columns, i64 rows, Put put) {
    const auto block_of = [&](i64 pair, i64 group, std::int16_t* block) {
        std::fill(block, block + kBlockWeights, std::int16_t{0});
        bool any = false;
        const i64 count = std::min<i64>(kLanes, rows - kLanes * group);
        for (i64 side = 0; side < 2 && 2 * pair + side < columns; side++) {
            const i64* from = values + (2 * pair + side) * rows + kLanes * group;
            for (i64 lane = 0; lane < count; lane++) {
                block[2 * lane + side] = static_cast<std::int16_t>(from[lane]);
                any |= from[lane] != 0;
            }
        }
        return any;
    };
    std::int16_t block[kBlockWeights];
    i64 blocks = 0;
    for (std::size_t s = 0; s + 1 < m.segment.size(); s++)
        for (i64 group = 0; group < m.groups; group++) {
            m.begin.push_back(blocks);
            for (i64 pair = m.segment[s]; pair < m.segment[s + 1]; pair++)
                if (block_of(pair, group, block)) {
                    m.pair.push_back(static_cast<std::uint16_t>(pair));
                    put(block);
                    blocks++;
                }
        }
    m.begin.push_back(blocks);
    m.dense = 2 * blocks > m.pairs * m.groups;
    if (!m.dense) return;
    m.narrow.clear();
    m.broad.clear();
    m.pair.clear();
    for (std::size_t s = 0; s + 1 < m.segment.size(); s++)
        for (i64 panel = 0; panel < m.groups; panel += kPanel)
            for (i64 pair = m.segment[s]; pair < m.segment[s + 1]; pair++)
                for (i64 group = panel; group < std::min(panel + kPanel, m.groups); group++) {
                    block_of(pair, group, block);
                    put(block);
                }
}

inline void pack(Matrix& m, const i64* values, i64 columns, i64 rows, i64 x_bits, bool narrow) {
    m.pairs = (columns + 1) / 2;
    m.groups = (rows + kLanes - 1) / kLanes;
    m.plain.clear();
    m.begin.clear();
    m.pair.clear();
    m.narrow.clear();
    m.broad.clear();
    m.quads = Quads{};
    m.wide = !narrow || x_bits > 16 || !divide(m, values, columns, rows, x_bits);
    if (m.wide) {
        m.plain.assign(values, values + columns * rows);
        return;
    }
    m.bytes = std::all_of(values, values + columns * rows, [](i64 w) { return -128 <= w && w <= 127; });
    if (m.bytes) pack_blocks(m, values, columns, rows, [&](const std::int16_t* b) { m.narrow.insert(m.narrow.end(), b, b + kBlockWeights); });
    else pack_blocks(m, values, columns, rows, [&](const std::int16_t* b) { m.broad.insert(m.broad.end(), b, b + kBlockWeights); });
    if (has_dots() && m.bytes && m.dense && m.segment.size() == 2 && columns * rows >= fewest_quad_weights(x_bits))
        pack_quads(m.quads, values, columns, rows, x_bits);
}

struct LivePair {
    i32 place, x;
};
// Pairs of 16-bit activations, wherever they stand.
struct Pairs {
    const char* from;

    i32 operator[](i64 pair) const {
        i32 x;
        std::memcpy(&x, from + pair * static_cast<i64>(sizeof x), sizeof x);
        return x;
    }
    Pairs operator+(i64 pairs) const { return {from + pairs * static_cast<i64>(sizeof(i32))}; }
};

// Groups side by side. One in another rather than an array: compilers keep these sums in registers.
template <int N> struct Panel {
    EightSums first;
    Panel<N - 1> others;

    template <class W> FEMTO_INLINE void add(const W* w, i32 pair) {
        first.add(w, pair);
        others.add(w + kBlockWeights, pair);
    }
    FEMTO_INLINE void add_to(i64* acc, bool fresh) const {
        first.add_to(acc, fresh);
        others.add_to(acc + kLanes, fresh);
    }
};
template <> struct Panel<0> {
    template <class W> FEMTO_INLINE void add(const W*, i32) {}
    FEMTO_INLINE void add_to(i64*, bool) const {}
};

template <int N, class W> void panel_sums(const W* w, Pairs x, i64 pairs, i64* acc, bool fresh) {
    Panel<N> sums;
    for (i64 pair = 0; pair < pairs; pair++, w += N * kBlockWeights) sums.add(w, x[pair]);
    sums.add_to(acc, fresh);
}
template <int N, class W> void panel_sums(const W* w, const LivePair* live, i64 count, i64* acc, bool fresh) {
    Panel<N> sums;
    for (i64 n = 0; n < count; n++) sums.add(w + live[n].place * N * kBlockWeights, live[n].x);
    sums.add_to(acc, fresh);
}
template <class W, class X> void panel_sums(i64 n, const W* w, X x, i64 count, i64* acc, bool fresh) {
    with_panel(n, [&](auto wide) { panel_sums<decltype(wide)::value>(w, x, count, acc, fresh); });
}

// x: pairs of activations. ``few``: whether it pays to look for pairs of zeros.
template <class W> void dense_product(const Matrix& m, const W* w, Pairs x, i64* acc, bool fresh, bool few) {
    LivePair live[2048];
    for (std::size_t s = 0; s + 1 < m.segment.size(); s++) {
        const i64 first = m.segment[s], pairs = m.segment[s + 1] - first;
        i64 count = 0;
        for (i64 pair = 0; few && pair < pairs; pair++) {
            live[count] = {static_cast<i32>(pair), x[first + pair]};
            count += x[first + pair] != 0;
        }
        for (i64 panel = 0; panel < m.groups; panel += kPanel) {
            const i64 n = std::min(kPanel, m.groups - panel);
            if (few) panel_sums(n, w, static_cast<const LivePair*>(live), count, acc + kLanes * panel, fresh && s == 0);
            else panel_sums(n, w, x + first, pairs, acc + kLanes * panel, fresh && s == 0);
            w += n * pairs * kBlockWeights;
        }
    }
}
template <class W> void sparse_product(const Matrix& m, const W* w, Pairs x, i64* acc, bool fresh) {
    for (std::size_t s = 0; s + 1 < m.segment.size(); s++)
        for (i64 group = 0; group < m.groups; group++) {
            const i64* range = &m.begin[s * m.groups + group];
            EightSums sums;
            for (i64 block = range[0]; block < range[1]; block++) sums.add(w + block * kBlockWeights, x[m.pair[block]]);
            sums.add_to(acc + kLanes * group, fresh && s == 0);
        }
}
template <class W> void product(const Matrix& m, const W* w, Pairs x, i64* acc, bool fresh, bool few) {
    if (m.dense) dense_product(m, w, x, acc, fresh, few && m.groups > 2);
    else sparse_product(m, w, x, acc, fresh);
}

inline void wide_product(const Matrix& m, const i64* x, i64 columns, i64 rows, i64* acc, bool fresh) {
    if (fresh) std::fill(acc, acc + kLanes * m.groups, i64{0});
    for (i64 column = 0; column < columns; column++) {
        if (!x[column]) continue;
        const i64* w = &m.plain[column * rows];
        for (i64 row = 0; row < rows; row++) acc[row] = wrapping_add(acc[row], wrapping_mul(w[row], x[column]));
    }
}

// One product: activations of ``bits`` at ``from``.
inline void multiply(const Matrix& m, const void* from, i64 bits, i64 columns, i64 rows, i64* acc, bool fresh, bool few) {
    constexpr i64 most = 4096 + kBlock;
    if (m.wide) {
        i64 x[most];
        load_of<i64>(kMemory, bits)(from, columns, x);
        wide_product(m, x, columns, rows, acc, fresh);
        return;
    }
    if (m.quads.count && !(few && bits == 16)) {
        dot_product(m.quads, from, bits, columns, m.groups, acc, fresh);
        return;
    }
    std::int16_t copy[most];
    Pairs x{static_cast<const char*>(from)};
    if (bits == 8 || columns % 2) { // the last column of an odd number has no neighbour
        if (bits == 8) load<std::int16_t, std::int8_t>(from, columns, copy);
        else std::memcpy(copy, from, columns * sizeof(std::int16_t));
        copy[columns] = 0;
        x.from = reinterpret_cast<const char*>(copy);
    }
    if (m.bytes) product(m, m.narrow.data(), x, acc, fresh, few);
    else product(m, m.broad.data(), x, acc, fresh, few);
}

} // namespace
