// Products of 8-bit weights, four neighbouring columns at a time, for processors that multiply and add four bytes in one
// instruction (AVX-512 VNNI). It takes one side without a sign: 128 is added to every byte of the activations that has
// one, and sums start at what makes up for that. Sums are taken modulo 2^32, and the true ones fit, so they are exact.

#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "arithmetic.hpp"
#include "eight_sums.hpp"
#include "records.hpp"

#if defined(__AVX2__) && (defined(__clang__) || __GNUC__ >= 9)
#define FEMTO_DOTS __attribute__((target("avx2,avx512f,avx512vl,avx512vnni")))
#endif

namespace {

constexpr i64 kQuadWeights = 4 * kLanes;
// How many weights a matrix must have for this to pay; activations of 16 bits have to be taken apart.
constexpr i64 fewest_quad_weights(i64 x_bits) { return x_bits == 8 ? 1024 : 8192; }

// Blocks of eight rows and four columns, panel by panel, quad by quad; an even number of quads.
struct Quads {
    i64 count = 0; // of quads; 0: there are none
    std::vector<std::int8_t> weights;
    std::vector<i32> start; // of the sum of each row
};

#if defined(FEMTO_DOTS)

inline bool has_dots() {
    static const bool has = __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
    return has;
}

// values: columns x rows, all of 8 bits.
inline void pack_quads(Quads& quads, const i64* values, i64 columns, i64 rows, i64 x_bits) {
    const i64 groups = (rows + kLanes - 1) / kLanes;
    quads.count = (columns + 7) / 8 * 2;
    quads.weights.assign(quads.count * groups * kQuadWeights, 0);
    quads.start.assign(groups * kLanes, 0);
    for (i64 row = 0; row < rows; row++) {
        const i64 group = row / kLanes, panel = group / kPanel * kPanel, wide = std::min(kPanel, groups - panel);
        i64 sum = 0;
        for (i64 column = 0; column < columns; column++) {
            const i64 weight = values[column * rows + row], block = panel * quads.count + column / 4 * wide + group - panel;
            quads.weights[block * kQuadWeights + row % kLanes * 4 + column % 4] = static_cast<std::int8_t>(weight);
            sum += weight;
        }
        quads.start[row] = static_cast<i32>(-(sum * (i64{1} << (x_bits - 1))));
    }
}

// Groups side by side, one in another as in ``Panel``.
template <int N> struct DotPanel {
    __m256i first;
    DotPanel<N - 1> others;

    FEMTO_DOTS FEMTO_INLINE void clear() {
        first = _mm256_setzero_si256();
        others.clear();
    }
    FEMTO_DOTS FEMTO_INLINE void start(const i32* sums) {
        first = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(sums));
        others.start(sums + kLanes);
    }
    FEMTO_DOTS FEMTO_INLINE void add(const std::int8_t* w, __m256i x) {
        first = _mm256_dpbusd_epi32(first, x, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w)));
        others.add(w + kQuadWeights, x);
    }
    template <int SHIFT> FEMTO_DOTS FEMTO_INLINE void add_shifted(const DotPanel& more) {
        first = _mm256_add_epi32(first, _mm256_slli_epi32(more.first, SHIFT));
        others.template add_shifted<SHIFT>(more.others);
    }
    FEMTO_DOTS FEMTO_INLINE void add_to(i64* acc, bool fresh) const {
        EightSums sums;
        sums.sums = first;
        sums.add_to(acc, fresh);
        others.add_to(acc + kLanes, fresh);
    }
};
template <> struct DotPanel<0> {
    FEMTO_DOTS FEMTO_INLINE void clear() {}
    FEMTO_DOTS FEMTO_INLINE void start(const i32*) {}
    FEMTO_DOTS FEMTO_INLINE void add(const std::int8_t*, __m256i) {}
    template <int SHIFT> FEMTO_DOTS FEMTO_INLINE void add_shifted(const DotPanel&) {}
    FEMTO_DOTS FEMTO_INLINE void add_to(i64*, bool) const {}
};

FEMTO_DOTS FEMTO_INLINE __m256i four_bytes(const std::uint8_t* x) {
    i32 four;
    std::memcpy(&four, x, sizeof four);
    return _mm256_set1_epi32(four);
}

// Activations of 8 bits. Two sums take turns, as each of these instructions waits for the one before.
template <int N> FEMTO_DOTS void dot_panel(const std::int8_t* w, const std::uint8_t* x, i64 count, const i32* start, i64* acc, bool fresh) {
    DotPanel<N> even, odd;
    even.start(start);
    odd.clear();
    for (i64 quad = 0; quad < count; quad += 2, w += 2 * N * kQuadWeights, x += 8) {
        even.add(w, four_bytes(x));
        odd.add(w + N * kQuadWeights, four_bytes(x + 4));
    }
    even.template add_shifted<0>(odd);
    even.add_to(acc, fresh);
}

// Activations of 16 bits: their low and their high bytes.
template <int N>
FEMTO_DOTS void dot_panel(const std::int8_t* w, const std::uint8_t* low, const std::uint8_t* high, i64 count, const i32* start,
                          i64* acc, bool fresh) {
    DotPanel<N> even_low, even_high;
    even_low.start(start);
    even_high.clear();
    if constexpr (N <= 4) {
        DotPanel<N> odd_low, odd_high;
        odd_low.clear();
        odd_high.clear();
        for (i64 at = 0; at < 4 * count; at += 8, w += 2 * N * kQuadWeights) {
            even_low.add(w, four_bytes(low + at));
            even_high.add(w, four_bytes(high + at));
            odd_low.add(w + N * kQuadWeights, four_bytes(low + at + 4));
            odd_high.add(w + N * kQuadWeights, four_bytes(high + at + 4));
        }
        even_low.template add_shifted<0>(odd_low);
        even_high.template add_shifted<0>(odd_high);
    } else {
        for (i64 at = 0; at < 4 * count; at += 4, w += N * kQuadWeights) {
            even_low.add(w, four_bytes(low + at));
            even_high.add(w, four_bytes(high + at));
        }
    }
    even_low.template add_shifted<8>(even_high);
    even_low.add_to(acc, fresh);
}

template <class... Bytes> void dot_panels(const Quads& quads, i64 groups, i64* acc, bool fresh, const Bytes*... x) {
    const std::int8_t* w = quads.weights.data();
    const i32* start = quads.start.data();
    for (i64 panel = 0; panel < groups; panel += kPanel) {
        const i64 n = std::min(kPanel, groups - panel);
        with_panel(n, [&](auto wide) { dot_panel<decltype(wide)::value>(w, x..., quads.count, start, acc, fresh); });
        w += n * quads.count * kQuadWeights;
        start += n * kLanes;
        acc += n * kLanes;
    }
}

// from: activations of 8 or 16 ``bits``.
inline void dot_product(const Quads& quads, const void* from, i64 bits, i64 columns, i64 groups, i64* acc, bool fresh) {
    std::uint8_t low[4096 + 16], high[4096 + 16];
    const auto* bytes = static_cast<const std::uint8_t*>(from);
    constexpr std::uint8_t none[8] = {}; // the weights behind the last column are zero
    std::memcpy(low + 4 * quads.count - sizeof none, none, sizeof none);
    if (bits == 8) {
        in_parts(columns, [&](i64 first, auto size) {
            for (i64 n = first; n < first + size; n++) low[n] = bytes[n] ^ 0x80;
        });
        dot_panels(quads, groups, acc, fresh, low);
        return;
    }
    std::memcpy(high + 4 * quads.count - sizeof none, none, sizeof none);
    in_parts(columns, [&](i64 first, auto size) {
        for (i64 n = first; n < first + size; n++) {
            low[n] = bytes[2 * n];
            high[n] = bytes[2 * n + 1] ^ 0x80;
        }
    });
    dot_panels(quads, groups, acc, fresh, low, high);
}

#else

inline bool has_dots() { return false; }
inline void pack_quads(Quads&, const i64*, i64, i64, i64) {}
inline void dot_product(const Quads&, const void*, i64, i64, i64, i64*, bool) {}

#endif

} // namespace
