// The arithmetic of the lanes, on arrays in blocks: conversions, and one pass for shifts, operation and last stage.
//
// Loops have whole blocks, so that compilers turn them into vector instructions of any processor without a rest. Arrays
// have room for the last block; what stands there behind the elements does not matter.

#pragma once

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "records.hpp"

namespace {

constexpr i64 kBlock = 16;
constexpr i64 in_blocks(i64 n) { return (n + kBlock - 1) & -kBlock; }

template <class T> using Unsigned = std::make_unsigned_t<T>;
template <class T> inline T wrapping_add(T a, T b) { return static_cast<T>(static_cast<Unsigned<T>>(a) + static_cast<Unsigned<T>>(b)); }
template <class T> inline T wrapping_sub(T a, T b) { return static_cast<T>(static_cast<Unsigned<T>>(a) - static_cast<Unsigned<T>>(b)); }
template <class T> inline T wrapping_mul(T a, T b) { return static_cast<T>(static_cast<Unsigned<T>>(a) * static_cast<Unsigned<T>>(b)); }
template <class T> inline T left_shift(T x, int s) { return static_cast<T>(static_cast<Unsigned<T>>(x) << s); }

// Arithmetic right shift of 64 bits by logical ones, which AVX2 has.
inline i64 right_shift(i64 x, int s) {
    constexpr u64 sign = u64{1} << 63;
    return static_cast<i64>(((static_cast<u64>(x) ^ sign) >> s) - (sign >> s));
}
inline i32 right_shift(i32 x, int s) { return x >> s; }

// The arrays that memories are read through: elements of all widths lie in the same words.
template <class T> struct Anyhow {
    typedef T type __attribute__((may_alias));
};
template <class T> using Element = typename Anyhow<T>::type;

// ``part`` for each whole block, then for its halves that make up the rest: all of a size that is known.
template <class Part> inline void in_parts(i64 n, Part part) {
    static_assert(kBlock == 16);
    i64 i = 0;
    const auto rest = [&](auto size) {
        if (!(n & size)) return;
        part(i, size);
        i += size;
    };
    for (; i + kBlock <= n; i += kBlock) part(i, std::integral_constant<i64, kBlock>());
    rest(std::integral_constant<i64, 8>());
    rest(std::integral_constant<i64, 4>());
    rest(std::integral_constant<i64, 2>());
    rest(std::integral_constant<i64, 1>());
}

// Elements as numbers of another width, by way of ``Via``.
template <class To, class From, class Via = From> void load(const void* from, i64 n, To* __restrict to) {
    const auto* p = static_cast<const Element<From>*>(from);
    in_parts(n, [&](i64 first, auto size) {
        for (i64 i = 0; i < size; i++) to[first + i] = static_cast<To>(static_cast<Via>(p[first + i]));
    });
}

// The low 32 bits of 64, and whether all of them are numbers of so many bits.
inline bool load_if_narrow(const void* from, i64 n, i32* __restrict to, int bits) {
    const auto* p = static_cast<const Element<i64>*>(from);
    const u64 half = u64{1} << (bits - 1);
    u64 all = 0;
    const i64 fours = n & -4;
    for (i64 i = 0; i < fours; i++) {
        to[i] = static_cast<i32>(p[i]);
        all |= static_cast<u64>(p[i]) + half;
    }
    for (i64 i = fours; i < n; i++) {
        to[i] = static_cast<i32>(p[i]);
        all |= static_cast<u64>(p[i]) + half;
    }
    return all >> bits == 0;
}

template <class To, class From> void store(void* to, i64 n, const From* __restrict x) {
    auto* p = static_cast<Element<To>*>(to);
    in_parts(n, [&](i64 first, auto size) {
        for (i64 i = 0; i < size; i++) p[first + i] = static_cast<To>(x[first + i]);
    });
}

template <class T> using Load = void (*)(const void*, i64, T*);
template <class T> using Store = void (*)(void*, i64, const T*);

template <class T> Load<T> load_of(i64 kind, i64 bits) {
    if (kind == kMemory) return bits == 8 ? load<T, std::int8_t> : bits == 16 ? load<T, std::int16_t> : load<T, i32>;
    return bits == 8 ? load<T, i64, std::int8_t> : bits == 16 ? load<T, i64, std::int16_t> : bits == 32 ? load<T, i64, i32> : load<T, i64>;
}
template <class T> Store<T> store_of(i64 kind, i64 bits) {
    if (kind == kAccumulator) return store<i64, T>;
    return bits == 8 ? store<std::int8_t, T> : bits == 16 ? store<std::int16_t, T> : store<i32, T>;
}

// Shifts of a and b, and the last stage: whatever it does not do is a step that changes nothing.
template <class T> struct Stages {
    T half, low, high, floor, mask;
    std::int8_t left_a, right_a, left_b, right_b, left, right;
    bool aligned, finished; // whether a or b is shifted; whether the result is shifted or clipped
};
// What of it there is to be done: nothing, only a right shift and the clip, or everything.
enum Work { kPlain, kRightAndClip, kEverything };
template <class T> Work work_of(const Stages<T>& s) {
    if (s.aligned || s.left) return kEverything;
    return s.finished ? kRightAndClip : kPlain;
}
template <class T> void set_shift(i64 amount, std::int8_t& left, std::int8_t& right) {
    constexpr i64 most = 8 * sizeof(T) - 1;
    left = static_cast<std::int8_t>(std::clamp<i64>(amount, 0, most));
    right = static_cast<std::int8_t>(std::clamp<i64>(-amount, 0, most));
}
template <class T> Stages<T> stages_of(const Row& r) {
    Stages<T> s{0, std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), std::numeric_limits<T>::min(), -1, 0, 0, 0, 0, 0, 0, false, false};
    set_shift<T>(r.shift_a, s.left_a, s.right_a);
    set_shift<T>(r.shift_b, s.left_b, s.right_b);
    set_shift<T>(r.shift, s.left, s.right);
    if (r.rounded && r.shift < 0) s.half = static_cast<T>(Unsigned<T>{1} << (std::min<i64>(-r.shift, 8 * sizeof(T)) - 1));
    if (r.clip == kSaturate || r.clip == kPositive) {
        s.low = static_cast<T>(r.low);
        s.high = static_cast<T>(r.high);
    }
    if (r.clip == kPositive) s.floor = 0;
    if (r.clip == kLowBits) s.mask = static_cast<T>(r.mask);
    s.aligned = r.shift_a || r.shift_b;
    s.finished = r.shift || r.clip != kWhole;
    return s;
}

// A product with a fraction that y packs, in two steps; 32 bits are never enough for it.
inline i64 scaled(i64 x, i64 y) {
    constexpr i64 half = i64{1} << 30;
    x = right_shift(left_shift(x, 40), 40); // the low 24 bits
    const i64 v = right_shift(wrapping_add(wrapping_mul(x, half + (y & (half - 1))), half), 31);
    return wrapping_add(left_shift(v, static_cast<int>((y >> 30) & 3)), v >> 63);
}

template <int OP, class T> inline T operation(T x, T y) {
    switch (OP) {
        case kAdd: return wrapping_add(x, y);
        case kSub: return wrapping_sub(x, y);
        case kMul: return wrapping_mul(x, y);
        case kMax: return std::max(x, y);
        case kMin: return std::min(x, y);
        case kGt: return T{x > y};
        case kGe: return T{x >= y};
        case kEq: return T{x == y};
        case kAnd: return T{(x != 0) & (y != 0)};
        case kOr: return T{(x != 0) | (y != 0)};
        case kXor: return T{(x != 0) != (y != 0)};
        case kScale: return static_cast<T>(scaled(x, y));
        default: return x;
    }
}

template <class T> inline T shifted_in(T x, int left, int right) { return right_shift(left_shift(x, left), right); }

template <class T> constexpr T kLive[2 * kBlock] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

// a = the result, for n elements and whatever else their last block holds; how many of the n were saturated.
template <class T, int OP, Work WORK> i64 compute(T* __restrict a, const T* __restrict b, i64 n, const Stages<T>& __restrict s) {
    const auto one = [&](i64 i) {
        if (WORK == kPlain) {
            a[i] = operation<OP>(a[i], b[i]);
            return T{0};
        }
        T x;
        if (WORK == kRightAndClip) {
            x = right_shift(wrapping_add(operation<OP>(a[i], b[i]), s.half), s.right);
        } else {
            x = operation<OP>(shifted_in(a[i], s.left_a, s.right_a), shifted_in(b[i], s.left_b, s.right_b));
            x = shifted_in(wrapping_add(x, s.half), s.left, s.right);
        }
        const T y = std::min(std::max(x, s.low), s.high);
        a[i] = std::max(y, s.floor) & s.mask;
        return T{y != x};
    };
    const i64 whole = n & -kBlock;
    T saturated = 0;
    for (i64 i = 0; i < whole; i++) saturated = wrapping_add(saturated, one(i));
    if (whole != n) {
        const T* live = kLive<T> + kBlock - (n - whole);
        for (i64 i = 0; i < kBlock; i++) saturated = wrapping_add(saturated, static_cast<T>(one(whole + i) & live[i]));
    }
    return saturated;
}

// One number, without arrays.
inline i64 operate(i64 op, i64 x, i64 y) {
    switch (op) {
        case kAdd: return operation<kAdd>(x, y);
        case kSub: return operation<kSub>(x, y);
        case kMul: return operation<kMul>(x, y);
        case kMax: return operation<kMax>(x, y);
        case kMin: return operation<kMin>(x, y);
        case kGt: return operation<kGt>(x, y);
        case kGe: return operation<kGe>(x, y);
        case kEq: return operation<kEq>(x, y);
        case kAnd: return operation<kAnd>(x, y);
        case kOr: return operation<kOr>(x, y);
        case kXor: return operation<kXor>(x, y);
        case kScale: return operation<kScale>(x, y);
        default: return x;
    }
}
inline i64 finish(i64 x, const Stages<i64>& s, i64& saturated) {
    x = shifted_in(wrapping_add(x, s.half), s.left, s.right);
    const i64 y = std::min(std::max(x, s.low), s.high);
    saturated += y != x;
    return std::max(y, s.floor) & s.mask;
}
inline i64 load_one(const char* from, i64 kind, i64 bits) {
    i64 x;
    if (kind == kMemory) {
        if (bits == 8) return *reinterpret_cast<const Element<std::int8_t>*>(from);
        if (bits == 16) return *reinterpret_cast<const Element<std::int16_t>*>(from);
        return *reinterpret_cast<const Element<i32>*>(from);
    }
    std::memcpy(&x, from, sizeof x);
    return bits == 8 ? static_cast<std::int8_t>(x) : bits == 16 ? static_cast<std::int16_t>(x) : bits == 32 ? static_cast<i32>(x) : x;
}
inline void store_one(char* to, i64 kind, i64 bits, i64 x) {
    std::memcpy(to, &x, kind == kMemory ? bits / 8 : 8); // the lowest bytes come first
}

template <class T> using Compute = i64 (*)(T*, const T*, i64, const Stages<T>&);
template <class T, Work WORK> Compute<T> compute_with(i64 op) {
    static constexpr Compute<T> all[] = {
        compute<T, kPass, WORK>, compute<T, kAdd, WORK>, compute<T, kSub, WORK>, compute<T, kMul, WORK>,
        compute<T, kMax, WORK>,  compute<T, kMin, WORK>, compute<T, kGt, WORK>,  compute<T, kGe, WORK>,
        compute<T, kEq, WORK>,   compute<T, kAnd, WORK>, compute<T, kOr, WORK>,  compute<T, kXor, WORK>,
        compute<T, kScale, WORK>};
    return all[op];
}
inline Compute<i32> compute_of(i64 op, const Stages<i32>& s) {
    const Work work = work_of(s);
    return work == kPlain          ? compute_with<i32, kPlain>(op)
           : work == kRightAndClip ? compute_with<i32, kRightAndClip>(op)
                                   : compute_with<i32, kEverything>(op);
}
inline Compute<i64> compute_of(i64 op, const Stages<i64>& s) {
    return work_of(s) == kPlain ? compute_with<i64, kPlain>(op) : compute_with<i64, kEverything>(op);
}

} // namespace
