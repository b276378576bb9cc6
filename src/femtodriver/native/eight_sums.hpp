// Sums of products for eight rows: 16 weights, of two neighbouring columns each, times a pair of activations, added up in
// 32 bits. The widest multiply-and-add of 16-bit numbers that the processor has does it; all give the same sums.

#pragma once

#include <cstring>
#include <type_traits>

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "records.hpp"

namespace {

#define FEMTO_INLINE inline __attribute__((always_inline))

constexpr i64 kPanel = 8; // groups of eight rows whose sums are in registers at once

// ``work`` with the number of groups in a panel, 1 to ``kPanel``, as a constant.
template <class Work> inline void with_panel(i64 groups, Work work) {
    static_assert(kPanel == 8);
    switch (groups) {
        case 1: work(std::integral_constant<int, 1>()); break;
        case 2: work(std::integral_constant<int, 2>()); break;
        case 3: work(std::integral_constant<int, 3>()); break;
        case 4: work(std::integral_constant<int, 4>()); break;
        case 5: work(std::integral_constant<int, 5>()); break;
        case 6: work(std::integral_constant<int, 6>()); break;
        case 7: work(std::integral_constant<int, 7>()); break;
        default: work(std::integral_constant<int, 8>());
    }
}

inline void add_eight(const i32* sums, i64* acc, bool fresh) {
    for (int lane = 0; lane < kLanes; lane++) {
        const u64 before = fresh ? 0 : static_cast<u64>(acc[lane]);
        acc[lane] = static_cast<i64>(before + static_cast<u64>(i64{sums[lane]}));
    }
}

#if defined(__AVX2__)

struct EightSums {
    __m256i sums = _mm256_setzero_si256();

    static __m256i weights(const std::int8_t* w) { return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(w))); }
    static __m256i weights(const std::int16_t* w) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w)); }
    template <class W> FEMTO_INLINE void add(const W* w, i32 pair) {
        sums = _mm256_add_epi32(sums, _mm256_madd_epi16(weights(w), _mm256_set1_epi32(pair)));
    }
    FEMTO_INLINE void add_to(i64* acc, bool fresh) const {
        auto* p = reinterpret_cast<__m256i*>(acc);
        __m256i low = _mm256_cvtepi32_epi64(_mm256_castsi256_si128(sums)), high = _mm256_cvtepi32_epi64(_mm256_extracti128_si256(sums, 1));
        if (!fresh) {
            low = _mm256_add_epi64(low, _mm256_loadu_si256(p));
            high = _mm256_add_epi64(high, _mm256_loadu_si256(p + 1));
        }
        _mm256_storeu_si256(p, low);
        _mm256_storeu_si256(p + 1, high);
    }
};

#elif defined(__SSE2__)

struct EightSums {
    __m128i low = _mm_setzero_si128(), high = _mm_setzero_si128();

    static void weights(const std::int8_t* w, __m128i& first, __m128i& second) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(w));
        first = _mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8);
        second = _mm_srai_epi16(_mm_unpackhi_epi8(bytes, bytes), 8);
    }
    static void weights(const std::int16_t* w, __m128i& first, __m128i& second) {
        first = _mm_loadu_si128(reinterpret_cast<const __m128i*>(w));
        second = _mm_loadu_si128(reinterpret_cast<const __m128i*>(w + 8));
    }
    template <class W> FEMTO_INLINE void add(const W* w, i32 pair) {
        const __m128i both = _mm_set1_epi32(pair);
        __m128i first, second;
        weights(w, first, second);
        low = _mm_add_epi32(low, _mm_madd_epi16(first, both));
        high = _mm_add_epi32(high, _mm_madd_epi16(second, both));
    }
    FEMTO_INLINE void add_to(i64* acc, bool fresh) const {
        i32 values[kLanes];
        _mm_storeu_si128(reinterpret_cast<__m128i*>(values), low);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(values + 4), high);
        add_eight(values, acc, fresh);
    }
};

#elif defined(__aarch64__)

struct EightSums {
    int32x4_t low = vdupq_n_s32(0), high = vdupq_n_s32(0);

    static void weights(const std::int8_t* w, int16x8_t& first, int16x8_t& second) {
        const int8x16_t bytes = vld1q_s8(w);
        first = vmovl_s8(vget_low_s8(bytes));
        second = vmovl_high_s8(bytes);
    }
    static void weights(const std::int16_t* w, int16x8_t& first, int16x8_t& second) {
        first = vld1q_s16(w);
        second = vld1q_s16(w + 8);
    }
    static int32x4_t products(int16x8_t w, int16x8_t both) {
        return vpaddq_s32(vmull_s16(vget_low_s16(w), vget_low_s16(both)), vmull_high_s16(w, both));
    }
    template <class W> FEMTO_INLINE void add(const W* w, i32 pair) {
        const int16x8_t both = vreinterpretq_s16_s32(vdupq_n_s32(pair));
        int16x8_t first, second;
        weights(w, first, second);
        low = vaddq_s32(low, products(first, both));
        high = vaddq_s32(high, products(second, both));
    }
    FEMTO_INLINE void add_to(i64* acc, bool fresh) const {
        i32 values[kLanes];
        vst1q_s32(values, low);
        vst1q_s32(values + 4, high);
        add_eight(values, acc, fresh);
    }
};

#else

struct EightSums {
    i32 sums[kLanes] = {};

    template <class W> FEMTO_INLINE void add(const W* w, i32 pair) {
        const i32 low = static_cast<std::int16_t>(pair & 0xffff), high = static_cast<std::int16_t>(pair >> 16);
        for (int lane = 0; lane < kLanes; lane++) sums[lane] += w[2 * lane] * low + w[2 * lane + 1] * high;
    }
    FEMTO_INLINE void add_to(i64* acc, bool fresh) const { add_eight(sums, acc, fresh); }
};

#endif

} // namespace
