// The arithmetic of the lanes, on whole arrays: shifts, operations, the last stage. 32 or 64 bits, modulo both.

#pragma once

#include <algorithm>
#include <type_traits>

#include "records.hpp"

namespace {

template <class T> inline T wrapping_add(T a, T b) {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
}
template <class T> inline T wrapping_sub(T a, T b) {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<U>(a) - static_cast<U>(b));
}
inline i64 wrapping_mul(i64 a, i64 b) { return static_cast<i64>(static_cast<u64>(a) * static_cast<u64>(b)); }

// Arithmetic right shift of 64 bits by logical ones, which AVX2 has.
inline i64 right_shift(i64 x, int s) {
    constexpr u64 sign = u64{1} << 63;
    return static_cast<i64>(((static_cast<u64>(x) ^ sign) >> s) - (sign >> s));
}
inline std::int32_t right_shift(std::int32_t x, int s) { return x >> s; }

template <class T> void shift_all(T* x, i64 n, i64 amount) {
    constexpr int bits = 8 * sizeof(T);
    using U = std::make_unsigned_t<T>;
    if (amount == 0) return;
    if (amount >= bits) {
        std::fill(x, x + n, T{0});
    } else if (amount > 0) {
        for (i64 i = 0; i < n; i++) x[i] = static_cast<T>(static_cast<U>(x[i]) << amount);
    } else {
        const int s = static_cast<int>(std::min<i64>(-amount, bits - 1));
        for (i64 i = 0; i < n; i++) x[i] = right_shift(x[i], s);
    }
}

template <class T> void round_shift_all(T* x, i64 n, i64 amount, bool rounded) {
    if (rounded && amount < 0) {
        const T half = static_cast<T>(std::make_unsigned_t<T>{1} << (std::min<i64>(-amount, 8 * sizeof(T)) - 1));
        for (i64 i = 0; i < n; i++) x[i] = wrapping_add(x[i], half);
    }
    shift_all(x, n, amount);
}

template <class T> i64 saturate_all(T* x, i64 n, T low, T high) {
    i64 changed = 0;
    for (i64 i = 0; i < n; i++) {
        const T y = std::min(std::max(x[i], low), high);
        changed += y != x[i];
        x[i] = y;
    }
    return changed;
}

template <class T, class F> inline void each(T* a, const T* b, i64 n, F f) {
    for (i64 i = 0; i < n; i++) a[i] = f(a[i], b[i]);
}

void multiply(i64* a, const i64* b, i64 n, bool narrow) {
    if (narrow) {
        for (i64 i = 0; i < n; i++) a[i] = static_cast<i64>(static_cast<std::int32_t>(a[i])) * static_cast<std::int32_t>(b[i]);
    } else {
        for (i64 i = 0; i < n; i++) a[i] = wrapping_mul(a[i], b[i]);
    }
}
void multiply(std::int32_t* a, const std::int32_t* b, i64 n, bool) {
    for (i64 i = 0; i < n; i++) a[i] *= b[i];
}

template <class T> void operate(i64 op, T* a, const T* b, i64 n, bool narrow) {
    switch (op) {
        case kPass: break;
        case kAdd: each(a, b, n, [](T x, T y) { return wrapping_add(x, y); }); break;
        case kSub: each(a, b, n, [](T x, T y) { return wrapping_sub(x, y); }); break;
        case kMul: multiply(a, b, n, narrow); break;
        case kMax: each(a, b, n, [](T x, T y) { return std::max(x, y); }); break;
        case kMin: each(a, b, n, [](T x, T y) { return std::min(x, y); }); break;
        case kGt: each(a, b, n, [](T x, T y) { return T{x > y}; }); break;
        case kGe: each(a, b, n, [](T x, T y) { return T{x >= y}; }); break;
        case kEq: each(a, b, n, [](T x, T y) { return T{x == y}; }); break;
        case kAnd: each(a, b, n, [](T x, T y) { return T{(x != 0) & (y != 0)}; }); break;
        case kOr: each(a, b, n, [](T x, T y) { return T{(x != 0) | (y != 0)}; }); break;
        case kXor: each(a, b, n, [](T x, T y) { return T{(x != 0) != (y != 0)}; }); break;
    }
}

} // namespace
