// Weights as the kernels take them, and the kernels: exact sums of products in 32 bits.

#pragma once

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#ifdef __AVX2__
#include <immintrin.h>
#endif

#include "records.hpp"

namespace {

// Weights of two neighbouring columns side by side, eight rows at a time; pairs in which a group is zero leave it out.
struct Matrix {
    bool stale = true;    // to be decoded before the next execution
    bool touched = false; // stored to since the last reset
    i64 pairs = 0, groups = 0, decode_elements = 0;
    bool bytes = true, dense = true, wide = false;
    std::vector<i64> begin;               // first block of each pair, and the end
    std::vector<std::uint16_t> group;     // of each block
    std::vector<std::int8_t> narrow;      // 16 weights of each block
    std::vector<std::int16_t> broad;      // the same, where some weight has more than 8 bits
    std::vector<i64> segment;             // pairs at which sums are added up, so that they fit 32 bits
    std::vector<i64> plain;               // columns x rows, for activations of 32 bits
    std::vector<std::uint16_t> cost;          // kFewCosts or kCosts numbers a column, see DecodedWeights
    std::vector<i64> total, mask_banks;
    std::vector<i64> columns, busy, known;    // see MatrixPipeline
    std::vector<i64> starts[kWordBytes];      // when each can begin, by the place of the first activation in its word
    i64 element_bytes = 1, mask_steps = 0;
    i64 bytes_kept[4] = {}; // first and end byte of the stored weights, and of the mask

    bool meets(i64 first, i64 end) const {
        return (first < bytes_kept[1] && bytes_kept[0] < end) || (first < bytes_kept[3] && bytes_kept[2] < end);
    }
};

constexpr int kFewCosts = 16, kCosts = 32; // room for three numbers and those of 13 banks, or of kMaxBanks
constexpr i64 kCostBlock = 32; // columns whose costs, at most one for each row, are added up in 16 bits
static_assert(kCostBlock * kMaxRows < 1 << 16);

void pack(Matrix& m, const i64* values, i64 columns, i64 rows, i64 x_bits) {
    m.pairs = (columns + 1) / 2;
    m.groups = (rows + kLanes - 1) / kLanes;
    m.wide = x_bits > 16;
    m.plain.clear();
    if (m.wide) m.plain.assign(values, values + columns * rows);
    m.begin.assign(1, 0);
    m.group.clear();
    m.narrow.clear();
    m.broad.clear();
    m.segment.assign(1, 0);
    m.bytes = std::all_of(values, values + columns * rows, [](i64 w) { return -128 <= w && w <= 127; });
    const i64 most = (i64{1} << 31) >> (x_bits <= 8 ? 7 : 15);
    std::vector<i64> sums(rows, 0);
    for (i64 pair = 0; pair < m.pairs && !m.wide; pair++) {
        const auto weight = [&](i64 row, i64 side) {
            const i64 column = 2 * pair + side;
            return row < rows && column < columns ? values[column * rows + row] : 0;
        };
        bool full = false;
        for (i64 row = 0; row < rows; row++) full |= sums[row] + std::abs(weight(row, 0)) + std::abs(weight(row, 1)) >= most;
        if (full) {
            m.segment.push_back(pair);
            std::fill(sums.begin(), sums.end(), 0);
        }
        for (i64 row = 0; row < rows; row++) {
            sums[row] += std::abs(weight(row, 0)) + std::abs(weight(row, 1));
            if (sums[row] >= most) { // two columns alone are too much
                m.wide = true;
                m.plain.assign(values, values + columns * rows);
                return;
            }
        }
        for (i64 g = 0; g < m.groups; g++) {
            std::int16_t block[2 * kLanes];
            bool any = false;
            for (i64 k = 0; k < 2 * kLanes; k++) {
                block[k] = static_cast<std::int16_t>(weight(kLanes * g + k / 2, k % 2));
                any |= block[k] != 0;
            }
            if (!any) continue;
            m.group.push_back(static_cast<std::uint16_t>(g));
            for (auto w : block) {
                if (m.bytes) m.narrow.push_back(static_cast<std::int8_t>(w));
                else m.broad.push_back(w);
            }
        }
        m.begin.push_back(static_cast<i64>(m.group.size()));
    }
    m.segment.push_back(m.pairs);
    m.dense = !m.wide && static_cast<i64>(m.group.size()) == m.pairs * m.groups;
}

#ifdef __AVX2__
inline __m256i block_of(const std::int8_t* w) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(w)));
}
inline __m256i block_of(const std::int16_t* w) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w)); }

template <class W> inline void add_block(std::int32_t* sums, const W* w, std::int32_t x) {
    auto* p = reinterpret_cast<__m256i*>(sums);
    _mm256_storeu_si256(p, _mm256_add_epi32(_mm256_loadu_si256(p), _mm256_madd_epi16(block_of(w), _mm256_set1_epi32(x))));
}

// Groups [g, g + N) of a dense matrix with the sums in registers.
template <int N, class W>
void dense_block(std::int32_t* sums, const W* weights, i64 groups, i64 g, const std::vector<std::pair<i64, std::int32_t>>& live) {
    __m256i s[N];
    for (int k = 0; k < N; k++) s[k] = _mm256_setzero_si256();
    for (const auto& [pair, x] : live) {
        const W* w = weights + (pair * groups + g) * 2 * kLanes;
        const __m256i both = _mm256_set1_epi32(x);
        for (int k = 0; k < N; k++) s[k] = _mm256_add_epi32(s[k], _mm256_madd_epi16(block_of(w + k * 2 * kLanes), both));
    }
    for (int k = 0; k < N; k++) _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + kLanes * (g + k)), s[k]);
}
#else
template <class W> inline void add_block(std::int32_t* sums, const W* w, std::int32_t x) {
    const std::int32_t low = static_cast<std::int16_t>(x & 0xffff), high = static_cast<std::int16_t>(x >> 16);
    for (int lane = 0; lane < kLanes; lane++) sums[lane] += w[2 * lane] * low + w[2 * lane + 1] * high;
}
template <int N, class W>
void dense_block(std::int32_t* sums, const W* weights, i64 groups, i64 g, const std::vector<std::pair<i64, std::int32_t>>& live) {
    std::fill(sums + kLanes * g, sums + kLanes * (g + N), 0);
    for (const auto& [pair, x] : live)
        for (int k = 0; k < N; k++) add_block(sums + kLanes * (g + k), weights + (pair * groups + g + k) * 2 * kLanes, x);
}
#endif

template <class W>
void segment_sums(const Matrix& m, const W* weights, std::int32_t* sums, const std::vector<std::pair<i64, std::int32_t>>& live) {
    if (m.dense) {
        i64 g = 0;
        for (; g + 8 <= m.groups; g += 8) dense_block<8>(sums, weights, m.groups, g, live);
        for (; g + 4 <= m.groups; g += 4) dense_block<4>(sums, weights, m.groups, g, live);
        for (; g < m.groups; g++) dense_block<1>(sums, weights, m.groups, g, live);
        return;
    }
    std::fill(sums, sums + kLanes * m.groups, 0);
    for (const auto& [pair, x] : live)
        for (i64 k = m.begin[pair]; k < m.begin[pair + 1]; k++)
            add_block(sums + kLanes * m.group[k], weights + k * 2 * kLanes, x);
}

} // namespace
