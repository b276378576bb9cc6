// Proofs that the numbers of an instruction fit 32 bits, from the widths of its operands alone.

#pragma once

#include <algorithm>

#include "records.hpp"

namespace {

// Whether all numbers of a vector instruction fit 32 bits (``all``), or the factors of its product do (``factors``).
struct Fits {
    bool all, factors;
};
struct Range {
    __int128 low, high;
    bool fits() const { return low >= -(__int128{1} << 31) && high < (__int128{1} << 31); }
};
Range shifted(Range x, i64 amount) {
    if (amount > 62) return x.low == 0 && x.high == 0 ? x : Range{-(__int128{1} << 100), __int128{1} << 100};
    if (amount >= 0) return {x.low * (__int128{1} << amount), x.high * (__int128{1} << amount)};
    const int s = static_cast<int>(std::min<i64>(-amount, 100));
    return {x.low >> s, x.high >> s};
}
Range range_of(const Operand& o) {
    if (o.kind == kNone) return {0, 0};
    if (o.kind == kImmediate) return {o.value, o.value};
    return {-(__int128{1} << (o.bits - 1)), (__int128{1} << (o.bits - 1)) - 1};
}
Fits fits(const Row& r) {
    if (r.a.bits > 32 || r.b.bits > 32) return {false, false};
    const Range a0 = range_of(r.a), b0 = range_of(r.b), a = shifted(a0, r.shift_a), b = shifted(b0, r.shift_b);
    const bool factors = a.fits() && b.fits() && a0.fits() && b0.fits();
    if (!factors) return {false, false};
    Range x{0, 1};
    switch (r.op) {
        case kPass: x = a; break;
        case kAdd: x = {a.low + b.low, a.high + b.high}; break;
        case kSub: x = {a.low - b.high, a.high - b.low}; break;
        case kMul: {
            const __int128 p[] = {a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high};
            x = {*std::min_element(p, p + 4), *std::max_element(p, p + 4)};
            break;
        }
        case kMax: case kMin: x = {std::min(a.low, b.low), std::max(a.high, b.high)}; break;
        default: break;
    }
    bool all = x.fits();
    if (r.rounded && r.shift < 0) {
        if (r.shift < -31) return {false, true};
        x = {x.low, x.high + (__int128{1} << (-r.shift - 1))};
        all &= x.fits();
    }
    all &= shifted(x, r.shift).fits();
    if (r.clip == kSaturate || r.clip == kPositive) all &= r.low >= INT32_MIN && r.high <= INT32_MAX;
    if (r.clip == kLowBits) all &= r.mask >= 0 && r.mask <= INT32_MAX;
    return {all, true};
}

} // namespace
