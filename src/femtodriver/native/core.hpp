// A core of the chip while it runs: its instructions as the loop takes them, its threads, and what it sends.

#pragma once

#include <functional>
#include <memory>
#include <queue>
#include <utility>
#include <vector>

#include "arithmetic.hpp"
#include "matrices.hpp"
#include "ranges.hpp"
#include "records.hpp"

namespace {

struct Order {
    i64 time, port, number;
    bool operator>(const Order& o) const {
        return time != o.time ? time > o.time : port != o.port ? port > o.port : number > o.number;
    }
};
struct Message {
    i64 arrival, core, target, begin, words;
    bool from_host;
    i64 sent;
};
struct Signal {
    i64 arrival, core, thread;
};
struct Ready {
    Order order;
    i64 pc, message; // message: index, or -1
    bool operator>(const Ready& o) const { return order > o.order; }
};
struct Pending {
    Order order;
    Signal signal;
    bool operator>(const Pending& o) const { return order > o.order; }
};
template <class T> struct Heap : std::priority_queue<T, std::vector<T>, std::greater<T>> {
    void clear() { this->c.clear(); }
};
struct Sent { // in the order in which they were sent
    bool is_signal;
    i64 index;
};
struct Watch {
    i64 first, end, row;
};

// An operand in few bytes: a frame runs through all rows, which should stay in the fastest memory.
struct Place {
    std::uint8_t kind, bits, base;
    i32 length;
    i64 value;

    explicit Place(const Operand& o)
        : kind(static_cast<std::uint8_t>(o.kind)), bits(static_cast<std::uint8_t>(o.bits)), base(static_cast<std::uint8_t>(o.base)),
          length(static_cast<i32>(o.length)), value(o.value) {}
    bool in_memory() const { return kind == kMemory; }
    bool moving() const { return kind == kMemory && base != 0; }
    i64 size() const { return bits / 8; }
    i64 bytes() const { return i64{length} * size(); }
    i64 stride() const { return in_memory() ? size() : 8; } // bytes from one element to the next
};

// How a vector instruction is executed. ``narrow_bits``: those of whole accumulators with which everything fits 32 bits.
constexpr int kPause = 15;
struct VectorPlan {
    int narrow_bits = 0;
    Compute<i32> compute = nullptr;
    Load<i32> load_a = nullptr, load_b = nullptr; // none for what is one element, or guarded
    Store<i32> store = nullptr;
    bool guard_a = false, guard_b = false;
    Stages<i32> stages{};
    Compute<i64> whole_compute = nullptr; // all of this for 64 bits
    Load<i64> whole_load_a = nullptr, whole_load_b = nullptr;
    Store<i64> whole_store = nullptr;
    Stages<i64> whole{};
    mutable int pause = 0; // executions for which whole accumulators are taken to be too large, without a look
};

// What a stream does at three addresses: checked, and its cycles and accesses counted. ``times``: since the last flush.
struct Seen {
    i64 at[3], cycles = 0, times = 0, dm_read = 0, dm_write = 0;
    i64 reads[kMaxBanks], writes[kMaxBanks];
};
constexpr u64 kRemembered = 64;
constexpr std::size_t kMostUsed = 4096; // of them, between two flushes

struct Step {
    std::uint8_t kind, op, fresh, masked;
    bool streams, moving;
    i32 pc, next_pc, next = -1, ahead, target; // next: the row at next_pc
    i64 fixed_cycles, elements;
    Place dst, a, b;
    VectorPlan plan;
    i32 lane_passes, start, copies, tables, bank, table, slope_bank, slope;
    i32 first, columns, repeat, rows, groups, scan_words, mask_word;
    i32 first_word, length, core, thread, reg, source;
    i64 low, value;

    Step(const Row& r, const Settings& set)
        : kind(static_cast<std::uint8_t>(r.kind)), op(static_cast<std::uint8_t>(r.op)), fresh(r.fresh != 0), masked(r.masked != 0),
          streams(r.streams != 0), moving(r.moving != 0), pc(narrow(r.pc)), next_pc(narrow(r.next_pc)), ahead(narrow(r.ahead)),
          target(narrow(r.target)), fixed_cycles(r.fixed_cycles), elements(r.elements), dst(r.dst), a(r.a), b(r.b),
          lane_passes(narrow(r.lane_passes)), start(narrow(r.start)),
          copies(narrow(r.copies)), tables(narrow(r.tables)), bank(narrow(r.bank)), table(narrow(r.table)),
          slope_bank(narrow(r.slope_bank)), slope(narrow(r.slope)), first(narrow(r.first)), columns(narrow(r.columns)),
          repeat(narrow(r.repeat)), rows(narrow(r.rows)), groups(narrow(r.groups)), scan_words(narrow(r.scan_words)),
          mask_word(narrow(r.mask_word)), first_word(narrow(r.first_word)), length(narrow(r.length)), core(narrow(r.core)),
          thread(narrow(r.thread)), reg(narrow(r.reg)), source(narrow(r.source)), low(r.low), value(r.value) {
        if (kind == kVector || kind == kAccumulate || kind == kLookup || kind == kInterpolate) set_plan(r, set);
        else plan.whole = stages_of<i64>(r);
    }

  private:
    static i32 narrow(i64 x) { return static_cast<i32>(x); } // fields of instructions have at most 20 bits

    void set_plan(const Row& r, const Settings& set) {
        Row product = r;
        if (kind == kAccumulate) { // what is added up is the product as it is
            product.op = kMul;
            product.shift = product.rounded = product.clip = 0;
        }
        if (kind == kVector || kind == kAccumulate) plan.narrow_bits = whole_bits_that_fit(product);
        else if (kind == kInterpolate) plan.narrow_bits = interpolation_fits(r, set.line_bits) ? 32 : 0;
        if (kind == kLookup) { // what is computed is the address
            product.op = kPass;
            product.clip = kSaturate;
            plan.narrow_bits = whole_bits_that_fit(product);
        }
        if (!set.narrow) plan.narrow_bits = 0;
        plan.stages = stages_of<i32>(product);
        plan.whole = stages_of<i64>(product);
        const i64 operation = kind == kInterpolate ? i64{kAdd} : product.op;
        plan.compute = compute_of(operation, plan.stages);
        plan.whole_compute = compute_of(operation, plan.whole);
        plan.load_a = load_of_source(r.a, r.dst.length, plan.guard_a);
        plan.load_b = load_of_source(r.b, r.dst.length, plan.guard_b);
        plan.whole_load_a = load_of<i64>(r.a.kind, r.a.bits);
        plan.whole_load_b = load_of<i64>(r.b.kind, r.b.bits);
        plan.store = store_of<i32>(r.dst.kind, r.dst.bits);
        plan.whole_store = store_of<i64>(r.dst.kind, r.dst.bits);
    }
    static Load<i32> load_of_source(const Operand& o, i64 length, bool& guarded) {
        if (o.kind == kNone || o.kind == kImmediate || (o.length == 1 && length > 1)) return nullptr;
        guarded = is_whole(o);
        return guarded ? nullptr : load_of<i32>(o.kind, o.bits);
    }
};

// A line of an interpolation.
struct Line {
    std::int16_t offset, slope;
};

// Arrays of the kernels.
struct Scratch {
    alignas(64) i32 a[kChunk] = {}, b[kChunk] = {}, x[kChunk] = {};
    alignas(64) i64 whole_a[kChunk] = {}, whole_b[kChunk] = {};
};

struct Core {
    i64 index;
    u64* words;
    i64* acc;
    const i64* tables;
    i64* bases;
    std::vector<Step> rows;
    Counts* counts;
    std::vector<i32> row_of_pc;
    std::vector<i64> initial, thread_pc;
    i64* dependency;
    std::vector<Matrix> matrices;        // by row, as the one below
    std::vector<std::vector<Seen>> seen;
    std::vector<std::vector<Line>> lines; // of interpolations
    std::vector<std::pair<i64, u64>> used; // rows and places in ``seen`` whose counts are not told yet
    std::vector<i64> used_matrices;        // likewise
    std::vector<Watch> watches;
    std::vector<u64> watched; // a bit for each word of data memory
    bool marked = false;      // whether those bits are right

    i64 pc = 0, time = 0, message = -1, woken_by = -1, taken_at = -1;
    bool running = false, streamed = false;
    i64 waiting[3] = {0, 0, 0}; // message, dependency, idle
    Heap<Ready> queue;
    std::vector<Sent> sent;
    std::vector<i64> outputs;
    std::vector<std::pair<i64, i64>> changes; // words that wait in the router

    std::unique_ptr<Scratch> scratch = std::make_unique<Scratch>();

    char* bytes() { return reinterpret_cast<char*>(words); }
    i64 row_at(i64 pc) const { return pc >= 0 && pc < static_cast<i64>(row_of_pc.size()) ? row_of_pc[pc] : -1; }
    i64 address(const Place& o) const { return bases[o.base] + o.value; }
    char* at(const Place& o, i64 address) { return o.in_memory() ? bytes() + address : reinterpret_cast<char*>(acc + kLanes * o.value); }

    // The tables of an interpolation, line by line from the lowest argument on.
    void set_lines(i64 row, i64 table_words, i64 line_bits) {
        const Step& r = rows[row];
        const i64* offset = tables + r.bank * table_words + r.table;
        const i64* slope = tables + r.slope_bank * table_words + r.slope;
        for (i64 line = 0; line < i64{1} << line_bits; line++)
            lines[row].push_back({static_cast<std::int16_t>(offset[line]), static_cast<std::int16_t>(slope[line])});
    }

    // Which words matter: the weights and masks that are kept, and wherever those may be that are still to be decoded.
    void mark_watched() {
        std::fill(watched.begin(), watched.end(), u64{0});
        for (const auto& watch : watches) {
            const Matrix& m = matrices[watch.row];
            if (m.stale && !m.touched) mark(watch.first, watch.end);
        }
        for (const auto& m : matrices) {
            if (m.stale) continue;
            mark(m.bytes_kept[0], m.bytes_kept[1]);
            mark(m.bytes_kept[2], m.bytes_kept[3]);
        }
        marked = true;
    }
    void mark(i64 first, i64 end) {
        for (i64 word = first / kWordBytes, stop = (end + kWordBytes - 1) / kWordBytes; word < stop;) {
            const i64 next = std::min(stop, (word / 64 + 1) * 64);
            if (static_cast<i64>(watched.size()) <= word / 64) watched.resize(word / 64 + 1);
            watched[word / 64] |= ~u64{0} >> (64 - (next - word)) << (word % 64);
            word = next;
        }
    }
    bool is_watched(i64 first, i64 end) const {
        const i64 first_word = first / kWordBytes, last_word = (end - 1) / kWordBytes;
        const i64 most = std::min(last_word / 64, static_cast<i64>(watched.size()) - 1);
        for (i64 n = first_word / 64; n <= most; n++) {
            u64 bits = watched[n];
            if (n == first_word / 64) bits &= ~u64{0} << (first_word % 64);
            if (n == last_word / 64) bits &= ~u64{0} >> (63 - last_word % 64);
            if (bits) return true;
        }
        return false;
    }

    // A store to these bytes: weights there are decoded again before they are used.
    void written(i64 first, i64 end) {
        if (first == end || watches.empty()) return;
        if (!marked) mark_watched();
        if (!is_watched(first, end)) return;
        for (const auto& watch : watches)
            if (first < watch.end && watch.first < end) {
                Matrix& m = matrices[watch.row];
                if (!m.stale && !m.meets(first, end)) continue;
                m.stale = m.touched = true;
                marked = false;
            }
    }

    // What was remembered instead of being counted.
    void tell_counts() {
        for (const auto& [row, place] : used) {
            Seen& s = seen[row][place];
            tell(counts[row], s);
        }
        used.clear();
        for (i64 row : used_matrices) matrices[row].costs.tell_all(counts[row]);
        used_matrices.clear();
    }
    static void tell(Counts& k, Seen& s) {
        k.cycles += s.times * s.cycles;
        k.dm_read += s.times * s.dm_read;
        k.dm_write += s.times * s.dm_write;
        for (int bank = 0; bank < kMaxBanks; bank++) {
            k.reads[bank] += s.times * s.reads[bank];
            k.writes[bank] += s.times * s.writes[bank];
        }
        s.times = 0;
    }
};

} // namespace
