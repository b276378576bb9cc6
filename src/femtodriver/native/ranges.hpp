// Proofs that the numbers of an instruction fit 32 bits: from the widths of its operands and, for accumulators that are
// read whole, from how many bits their numbers may have, which is looked at whenever they are read.

#pragma once

#include <algorithm>

#include "records.hpp"

namespace {

struct Range {
    __int128 low, high;
    bool fits() const { return low >= -(__int128{1} << 31) && high < (__int128{1} << 31); }
};
inline Range shifted(Range x, i64 amount) {
    if (amount > 62) return x.low == 0 && x.high == 0 ? x : Range{-(__int128{1} << 100), __int128{1} << 100};
    if (amount >= 0) return {x.low * (__int128{1} << amount), x.high * (__int128{1} << amount)};
    const int s = static_cast<int>(std::min<i64>(-amount, 100));
    return {x.low >> s, x.high >> s};
}
inline Range range_of_bits(i64 bits) { return {-(__int128{1} << (bits - 1)), (__int128{1} << (bits - 1)) - 1}; }
inline bool is_whole(const Operand& o) { return o.kind == kAccumulator && o.bits == 64; }
// Only the numbers of whole accumulators are looked at when they are read: all others may use all of their bits.
inline Range range_of(const Operand& o, i64 whole_bits) {
    if (o.kind == kNone) return {0, 0};
    if (o.kind == kImmediate) return {o.value, o.value};
    return range_of_bits(is_whole(o) ? whole_bits : o.bits);
}
inline Range product(Range a, Range b) {
    const __int128 p[] = {a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high};
    return {*std::min_element(p, p + 4), *std::max_element(p, p + 4)};
}

// The last stage on numbers of this range.
inline bool last_stage_fits(const Row& r, Range x) {
    bool all = x.fits();
    if (r.rounded && r.shift < 0) {
        if (r.shift < -31) return false;
        x = {x.low, x.high + (__int128{1} << (-r.shift - 1))};
        all &= x.fits();
    }
    all &= shifted(x, r.shift).fits();
    if (r.clip == kSaturate || r.clip == kPositive) all &= r.low >= INT32_MIN && r.high <= INT32_MAX;
    if (r.clip == kLowBits) all &= r.mask >= 0 && r.mask <= INT32_MAX;
    return all;
}

// Whether all numbers of a vector instruction or interpolation fit, if those of whole accumulators have so many bits.
inline bool vector_fits(const Row& r, i64 whole_bits) {
    const Range a0 = range_of(r.a, whole_bits), b0 = range_of(r.b, whole_bits);
    const Range a = shifted(a0, r.shift_a), b = shifted(b0, r.shift_b);
    if (!a.fits() || !b.fits() || !a0.fits() || !b0.fits()) return false;
    Range x{0, 1};
    switch (r.op) {
        case kPass: x = a; break;
        case kAdd: x = {a.low + b.low, a.high + b.high}; break;
        case kSub: x = {a.low - b.high, a.high - b.low}; break;
        case kMul: x = product(a, b); break;
        case kScale: return false;
        case kMax: case kMin: x = {std::min(a.low, b.low), std::max(a.high, b.high)}; break;
        default: break;
    }
    return last_stage_fits(r, x);
}
inline bool interpolation_fits(const Row& r, i64 line_bits) {
    const Range a = shifted(shifted(product(range_of_bits(16), {0, (i64{1} << line_bits) - 1}), -line_bits), r.shift_a);
    const Range b = shifted(range_of_bits(16), r.shift_b);
    return a.fits() && b.fits() && last_stage_fits(r, {a.low + b.low, a.high + b.high});
}

// With how many bits in whole accumulators everything fits, at most 32; 0: with none.
inline int whole_bits_that_fit(const Row& r) {
    const bool any = is_whole(r.a) || is_whole(r.b);
    for (int bits = 32; bits > (any ? 4 : 31); bits--)
        if (vector_fits(r, bits)) return bits;
    return 0;
}

} // namespace
