// Instructions that take elements one by one: vectors, look-ups, interpolations. What their numbers become.

#pragma once

#include <algorithm>

#include "core.hpp"

namespace {

// An operand of one execution in 64 bits. One element goes with all of the others; it is read before any is written.
struct Source {
    const Place& operand;
    const char* from = nullptr;
    bool spread;
    i64 one = 0;

    Source(Core& c, const Place& o, i64 length) : operand(o), spread(o.length == 1 && length > 1) {
        if (o.kind == kNone || o.kind == kImmediate) {
            one = o.value;
            spread = true;
            return;
        }
        from = c.at(o, c.address(o));
        if (spread) one = load_one(from, o.kind, o.bits);
    }
    void take(Load<i64> load, i64 first, i64 n, i64* to) const {
        if (spread) std::fill(to, to + in_blocks(n), one);
        else load(from + first * operand.stride(), n, to);
    }
};

inline bool fits_bits(i64 x, int bits) { return (static_cast<u64>(x) + (u64{1} << (bits - 1))) >> bits == 0; }

inline i64 number(Core& c, const Place& o) {
    return o.kind == kImmediate || o.kind == kNone ? o.value : load_one(c.at(o, c.address(o)), o.kind, o.bits);
}
inline void one_vector(Core& c, const Step& r, Counts& k) {
    const Stages<i64>& s = r.plan.whole;
    const i64 a = shifted_in(number(c, r.a), s.left_a, s.right_a), b = shifted_in(number(c, r.b), s.left_b, s.right_b);
    store_one(c.at(r.dst, c.address(r.dst)), r.dst.kind, r.dst.bits, finish(operate(r.op, a, b), s, k.saturated));
}

// Results in 64 bits, chunk by chunk: ``take`` gets the first, how many, and the numbers; how many were saturated.
template <class Take> i64 whole_results(Core& c, const Step& r, Take take) {
    const i64 length = r.dst.length;
    const Source of_a(c, r.a, length), of_b(c, r.b, length);
    i64 saturated = 0;
    i64 *a = c.scratch->whole_a, *b = c.scratch->whole_b;
    for (i64 first = 0; first < length; first += kChunk) {
        const i64 n = std::min(kChunk, length - first);
        of_a.take(r.plan.whole_load_a, first, n, a);
        of_b.take(r.plan.whole_load_b, first, n, b);
        saturated += r.plan.whole_compute(a, b, n, r.plan.whole);
        take(first, n, a);
    }
    return saturated;
}

// The elements of an operand that fit 32 bits by their width, or do when they are looked at; false: they do not.
inline bool take_few(Core& c, const Place& o, Load<i32> load, bool guard, int bits, i64 n, i32* to) {
    if (load) {
        load(c.at(o, c.address(o)), n, to);
    } else if (guard) {
        return load_if_narrow(c.at(o, c.address(o)), n, to, bits);
    } else if (o.kind != kNone) {
        const i64 one = number(c, o);
        if (o.kind == kAccumulator && !fits_bits(one, bits)) return false;
        std::fill(to, to + in_blocks(n), static_cast<i32>(one));
    }
    return true;
}

// Both operands, in the arrays of the core, if everything fits 32 bits; nothing is written before that is known.
inline bool take_narrow(Core& c, const Step& r) {
    const VectorPlan& p = r.plan;
    const i64 n = r.dst.length;
    if (!p.narrow_bits || n > kChunk) return false;
    if (p.pause) {
        p.pause--;
        return false;
    }
    if (take_few(c, r.a, p.load_a, p.guard_a, p.narrow_bits, n, c.scratch->a) &&
        take_few(c, r.b, p.load_b, p.guard_b, p.narrow_bits, n, c.scratch->b))
        return true;
    p.pause = kPause;
    return false;
}

inline void vector(Core& c, const Step& r, Counts& k) {
    const i64 length = r.dst.length;
    if (length == 1) {
        one_vector(c, r, k);
        return;
    }
    const VectorPlan& p = r.plan;
    char* to = c.at(r.dst, c.address(r.dst));
    if (take_narrow(c, r)) {
        k.saturated += p.compute(c.scratch->a, c.scratch->b, length, p.stages);
        p.store(to, length, c.scratch->a);
        return;
    }
    const i64 size = r.dst.stride();
    k.saturated += whole_results(c, r, [&](i64 first, i64 n, const i64* x) { p.whole_store(to + first * size, n, x); });
}

inline void accumulate(Core& c, const Step& r) {
    const i64 length = r.dst.length;
    const VectorPlan& p = r.plan;
    i64* sums = c.acc + kLanes * r.dst.value;
    const auto add = [&](i64 first, i64 n, const auto* x) {
        for (i64 i = 0; i < n; i++) sums[first + i] = wrapping_add(sums[first + i], static_cast<i64>(x[i]));
    };
    if (take_narrow(c, r)) {
        p.compute(c.scratch->a, c.scratch->b, length, p.stages);
        add(0, length, c.scratch->a);
        return;
    }
    whole_results(c, r, add); // a product that is added up is not saturated
}

inline void lookup(Core& c, const Step& r, Counts& k, i64 table_words) {
    const VectorPlan& p = r.plan;
    const i64 length = r.dst.length, copies = r.copies - 1; // a power of two
    char* to = c.at(r.dst, c.address(r.dst));
    const i64* table = c.tables + r.bank * table_words + r.table - r.low;
    if (take_narrow(c, r)) {
        i32 *a = c.scratch->a, *x = c.scratch->x;
        k.saturated += p.compute(a, c.scratch->b, length, p.stages);
        for (i64 i = 0; i < length; i++) x[i] = static_cast<i32>(table[(i & copies) * table_words + a[i]]);
        p.store(to, length, x);
        return;
    }
    const i64 size = r.dst.stride();
    const Source of_a(c, r.a, length);
    i64* a = c.scratch->whole_a;
    for (i64 first = 0; first < length; first += kChunk) {
        const i64 n = std::min(kChunk, length - first);
        of_a.take(p.whole_load_a, first, n, a);
        k.saturated += p.whole_compute(a, c.scratch->whole_b, n, p.whole);
        for (i64 i = 0; i < n; i++) a[i] = table[((first + i) & copies) * table_words + a[i]];
        p.whole_store(to + first * size, n, a);
    }
}

inline void interpolate(Core& c, const Step& r, Counts& k, i64 line_bits) {
    const VectorPlan& p = r.plan;
    const i64 length = r.dst.length;
    const i32 places = (i32{1} << line_bits) - 1; // of a line, and lines
    const char* from = c.at(r.a, c.address(r.a));
    char* to = c.at(r.dst, c.address(r.dst));
    const i64 from_size = r.a.stride(), to_size = r.dst.stride();
    const Line* lines = c.lines[&r - c.rows.data()].data() + (places + 1) / 2;
    i32 *x = c.scratch->x, *a = c.scratch->a, *b = c.scratch->b;
    for (i64 first = 0; first < length; first += kChunk) {
        const i64 n = std::min(kChunk, length - first);
        p.load_a(from + first * from_size, n, x);
        for (i64 i = 0; i < n; i++) {
            const Line line = lines[x[i] >> line_bits];
            a[i] = line.slope;
            b[i] = line.offset;
        }
        for (i64 i = 0; i < in_blocks(n); i++) a[i] = wrapping_mul(a[i], x[i] & places) >> line_bits;
        if (p.narrow_bits) {
            k.saturated += p.compute(a, b, n, p.stages);
            p.store(to + first * to_size, n, a);
            continue;
        }
        i64 *whole_a = c.scratch->whole_a, *whole_b = c.scratch->whole_b;
        std::copy(a, a + in_blocks(n), whole_a);
        std::copy(b, b + in_blocks(n), whole_b);
        k.saturated += p.whole_compute(whole_a, whole_b, n, p.whole);
        p.whole_store(to + first * to_size, n, whole_a);
    }
}

} // namespace
