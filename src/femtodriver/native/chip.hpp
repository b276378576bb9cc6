// The chip: cores, threads, router and instructions, frame by frame.

#pragma once

#include <algorithm>
#include <functional>
#include <iterator>
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
struct Seen { // cycles of a stream at three addresses
    i64 at[3], cycles;
};
constexpr u64 kRemembered = 64;

// After how much work a call returns to Python, which then looks for Ctrl-C: some tenths of a second.
constexpr i64 kCallElements = i64{1} << 25;
constexpr i64 kInstructionElements = 32; // that an instruction counts for

struct Core {
    i64 index;
    u64* words;
    i64* acc;
    const i64* tables;
    i64* bases;
    std::vector<Row> rows;
    Counts* counts;
    std::vector<i64> row_of_pc;
    std::vector<i64> initial, thread_pc;
    i64* dependency;
    std::vector<Fits> fits;              // by row, as the two below
    std::vector<Matrix> matrices;
    std::vector<std::vector<Seen>> seen;
    std::vector<Watch> watches;
    i64 watched_first = 0, watched_end = 0;

    i64 pc = 0, time = 0, message = -1, woken_by = -1, taken_at = -1;
    bool running = false, streamed = false;
    i64 waiting[3] = {0, 0, 0}; // message, dependency, idle
    Heap<Ready> queue;
    std::vector<Sent> sent;
    std::vector<i64> outputs;
    std::vector<std::pair<i64, i64>> changes; // words that wait in the router

    char* bytes() { return reinterpret_cast<char*>(words); }
};

struct Spu {
    Settings set;
    std::vector<Core> cores;
    std::vector<i64> core_of_index;
    std::vector<Message> messages;
    std::vector<Signal> signals;
    std::vector<u64> payloads;
    Heap<Pending> pending;
    std::vector<i64> outputs;
    std::vector<std::pair<i64, std::int32_t>> live;
    std::vector<i64> activations, edges;
    std::vector<i64> records; // of the inputs: core, pc, words
    std::vector<i64> mailboxes; // of the outputs: mailbox, words
    i64 delivered = 0, instructions = 0, elements = 0, words = 0;
    Core* current = nullptr;
    bool in_frame = false, in_slice = false;
    i64 most = 0, most_elements = 0, slice_done = 0, slice_elements = 0, sent_before = 0, outputs_before = 0;
    i64 frame = 0;
    i64 info[8] = {};

    i64 fault(i64 status, i64 core, i64 pc, i64 a = 0, i64 b = 0, i64 c = 0) {
        const i64 found[] = {core, pc, a, b, c};
        std::copy(std::begin(found), std::end(found), info);
        return status;
    }

    // Operands

    i64 address(const Core& c, const Operand& o) const { return c.bases[o.base] + o.value; }

    bool inside(i64 address, const Operand& o) const {
        const i64 size = o.bits / 8;
        return address % size == 0 && address >= 0 && address + o.length * size <= kWordBytes * set.banks * set.bank_words;
    }

    template <class T> static void read(Core& c, const Operand& o, i64 address, i64 first, i64 n, T* out) {
        if (o.kind == kImmediate) {
            std::fill(out, out + n, static_cast<T>(o.value));
        } else if (o.kind == kAccumulator) {
            const i64* p = c.acc + kLanes * o.value + first;
            switch (o.bits) {
                case 8: for (i64 i = 0; i < n; i++) out[i] = static_cast<std::int8_t>(p[i]); break;
                case 16: for (i64 i = 0; i < n; i++) out[i] = static_cast<std::int16_t>(p[i]); break;
                case 32: for (i64 i = 0; i < n; i++) out[i] = static_cast<std::int32_t>(p[i]); break;
                default: for (i64 i = 0; i < n; i++) out[i] = static_cast<T>(p[i]);
            }
        } else if (o.bits == 8) {
            const auto* p = reinterpret_cast<const std::int8_t*>(c.bytes() + address) + first;
            for (i64 i = 0; i < n; i++) out[i] = p[i];
        } else if (o.bits == 16) {
            const auto* p = reinterpret_cast<const std::int16_t*>(c.bytes() + address) + first;
            for (i64 i = 0; i < n; i++) out[i] = p[i];
        } else {
            const auto* p = reinterpret_cast<const std::int32_t*>(c.bytes() + address) + first;
            for (i64 i = 0; i < n; i++) out[i] = static_cast<T>(p[i]);
        }
    }

    template <class T> static void write(Core& c, const Operand& o, i64 address, i64 first, i64 n, const T* x) {
        if (o.kind == kAccumulator) {
            i64* p = c.acc + kLanes * o.value + first;
            for (i64 i = 0; i < n; i++) p[i] = x[i];
        } else if (o.bits == 8) {
            auto* p = reinterpret_cast<std::int8_t*>(c.bytes() + address) + first;
            for (i64 i = 0; i < n; i++) p[i] = static_cast<std::int8_t>(x[i]);
        } else if (o.bits == 16) {
            auto* p = reinterpret_cast<std::int16_t*>(c.bytes() + address) + first;
            for (i64 i = 0; i < n; i++) p[i] = static_cast<std::int16_t>(x[i]);
        } else {
            auto* p = reinterpret_cast<std::int32_t*>(c.bytes() + address) + first;
            for (i64 i = 0; i < n; i++) p[i] = static_cast<std::int32_t>(x[i]);
        }
    }

    static void written(Core& c, i64 first, i64 end) {
        if (first >= c.watched_end || end <= c.watched_first) return;
        for (const auto& watch : c.watches)
            if (first < watch.end && watch.first < end) {
                Matrix& m = c.matrices[watch.row];
                if (m.stale || m.meets(first, end)) m.stale = m.touched = true;
            }
    }

    // Banks

    i64 bank_of(i64 word) const { return 2 * (word / (2 * set.bank_words)) + word % 2; }

    void accesses(i64 first_word, i64 end_word, i64* counts) const {
        const i64 pair_words = 2 * set.bank_words;
        while (first_word < end_word) {
            const i64 pair = first_word / pair_words;
            const i64 stop = std::min(end_word, (pair + 1) * pair_words);
            const i64 odd = stop / 2 - first_word / 2;
            counts[2 * pair + 1] += odd;
            counts[2 * pair] += stop - first_word - odd;
            first_word = stop;
        }
    }
    void accesses_of_bytes(i64 address, i64 size, i64* counts) const {
        accesses(address / kWordBytes, (address + size + kWordBytes - 1) / kWordBytes, counts);
    }

    struct Placed {
        i64 address, length, size;
    };

    i64 busiest(const Placed* streams, int n, i64 first, i64 end) const {
        i64 counts[kMaxBanks] = {};
        for (int k = 0; k < n; k++) {
            i64 low = first, high = end;
            if (streams[k].length == 1) {
                low = std::min<i64>(low, 1);
                high = std::min<i64>(high, 1);
            }
            if (high > low) accesses_of_bytes(streams[k].address + low * streams[k].size, (high - low) * streams[k].size, counts);
        }
        return *std::max_element(counts, counts + set.banks);
    }

    i64 steps(const Row& r, i64 count) const {
        const i64 rows = (count + set.lanes - 1) / set.lanes;
        if (r.kind == kVector || r.kind == kAccumulate) return rows * r.lane_passes;
        const i64 reads = (count + r.copies - 1) / r.copies * r.tables;
        return std::max(rows, (reads + set.table_ports - 1) / set.table_ports);
    }

    // Cycles of a stream whose operands move: isa/cycles.py ``stream`` with machine/bank_load.py ``bank_load``.
    i64 moving_cycles(const Core& c, const Row& r) {
        const i64 length = r.dst.length;
        Placed streams[3];
        int sources = 0;
        for (const Operand* o : {&r.a, &r.b})
            if (o->in_memory()) streams[sources++] = {address(c, *o), o->length, o->bits / 8};
        int all = sources;
        if (r.dst.in_memory()) streams[all++] = {address(c, r.dst), r.dst.length, r.dst.bits / 8};
        edges.assign({0, length});
        const i64 pair = 2 * set.bank_words * kWordBytes;
        for (int k = 0; k < all; k++) {
            const i64 end = streams[k].address + streams[k].length * streams[k].size;
            for (i64 boundary = (streams[k].address / pair + 1) * pair; boundary < end; boundary += pair)
                edges.push_back((boundary - streams[k].address) / streams[k].size / set.lanes * set.lanes);
        }
        std::sort(edges.begin(), edges.end());
        edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
        const i64 first_reads = std::max<i64>(busiest(streams, sources, 0, std::min(length, set.lanes)), 1);
        const i64 second_reads = busiest(streams, sources, 0, std::min(length, 2 * set.lanes));
        const i64 last_row = (length - 1) / set.lanes * set.lanes;
        const int ends = all - sources;
        const i64 last_writes = std::max<i64>(
            {busiest(streams + sources, ends, std::max<i64>(last_row - set.lanes, 0), last_row),
             busiest(streams + sources, ends, last_row, length), 1});
        const i64 a_row = steps(r, std::min(set.lanes, length));
        i64 total = 0;
        for (std::size_t part = 0; part + 1 < edges.size(); part++) {
            i64 lanes = steps(r, edges[part + 1] - edges[part]);
            i64 bank = busiest(streams, all, edges[part], edges[part + 1]);
            if (part == 0) {
                lanes += std::max(first_reads, second_reads - a_row) - 1;
                bank += first_reads - 1;
            }
            if (part + 2 == edges.size()) bank += a_row - 1;
            total += std::max(lanes, bank);
        }
        return r.start + total + last_writes - 1;
    }

    // Loops come to the same addresses again and again.
    i64 remembered_cycles(Core& c, const Row& r) {
        const i64 at[] = {address(c, r.a), address(c, r.b), address(c, r.dst)};
        auto& seen = c.seen[&r - c.rows.data()];
        if (seen.empty()) seen.resize(kRemembered);
        Seen& s = seen[static_cast<u64>(at[0] + 3 * at[1] + 5 * at[2]) / 2 % kRemembered];
        if (!s.cycles || !std::equal(at, at + 3, s.at)) {
            std::copy(at, at + 3, s.at);
            s.cycles = moving_cycles(c, r);
        }
        return s.cycles;
    }

    // Streams

    i64 check_streams(Core& c, const Row& r) {
        for (const Operand* o : {&r.a, &r.b, &r.dst})
            if (o->moving() && !inside(address(c, *o), *o))
                return fault(kAddress, c.index, r.pc, address(c, *o), o->length, o->bits);
        return kDone;
    }

    // Whether a store would reach elements of a source that are still to be read; see machine/operand_checks.py.
    bool out_of_order(Core& c, const Row& r, const Operand& source) const {
        if (source.length == 1 || source.kind != r.dst.kind) return false;
        if (!source.in_memory()) {
            const i64 apart = (r.dst.value - source.value) * kLanes;
            return 0 < apart && apart < source.length;
        }
        const i64 to = address(c, r.dst), of = address(c, source);
        const bool overlap = to < of + source.bytes() && of < to + r.dst.bytes();
        return overlap && !(to <= of && r.dst.bits == source.bits);
    }

    i64 count_stream(Core& c, const Row& r, Counts& k, i64& taken) {
        if (r.dst.in_memory()) {
            const i64 first = address(c, r.dst);
            written(c, first, first + r.dst.bytes());
        }
        taken = r.fixed_cycles;
        if (!r.moving) return kDone;
        int side = 0;
        for (const Operand* o : {&r.a, &r.b}) {
            if (o->kind != kNone && out_of_order(c, r, *o)) return fault(kOrder, c.index, r.pc, side, address(c, r.dst), address(c, *o));
            side++;
        }
        i64 before[2 * kMaxBanks];
        std::copy(k.reads, k.reads + kMaxBanks, before);
        std::copy(k.writes, k.writes + kMaxBanks, before + kMaxBanks);
        for (const Operand* o : {&r.a, &r.b})
            if (o->in_memory()) accesses_of_bytes(address(c, *o), o->bytes(), k.reads);
        if (r.dst.in_memory()) accesses_of_bytes(address(c, r.dst), r.dst.bytes(), k.writes);
        for (int bank = 0; bank < set.banks; bank++) {
            k.dm_read += k.reads[bank] - before[bank];
            k.dm_write += k.writes[bank] - before[kMaxBanks + bank];
        }
        taken = remembered_cycles(c, r);
        k.cycles += taken;
        return kDone;
    }

    template <class T> void finish(const Row& r, T* x, i64 n, Counts& k) {
        if (r.shift) round_shift_all(x, n, r.shift, r.rounded != 0);
        if (r.clip == kSaturate || r.clip == kPositive) {
            k.saturated += saturate_all(x, n, static_cast<T>(r.low), static_cast<T>(r.high));
            if (r.clip == kPositive)
                for (i64 i = 0; i < n; i++) x[i] = std::max(x[i], T{0});
        } else if (r.clip == kLowBits) {
            for (i64 i = 0; i < n; i++) x[i] &= static_cast<T>(r.mask);
        }
    }

    // The elements of a source, block by block. One element goes with all of the others; it is read before any is written.
    template <class T> class Source {
      public:
        Source(Core& c, const Operand& o, i64 address) : core(c), operand(o), address(address) {
            if (o.kind != kNone && o.length == 1) read(c, o, address, 0, 1, &one);
        }
        void take(i64 first, i64 n, i64 shift, T* out) const {
            if (operand.kind == kNone) return;
            if (operand.length == 1) std::fill(out, out + n, one);
            else read(core, operand, address, first, n, out);
            shift_all(out, n, shift);
        }

      private:
        Core& core;
        const Operand& operand;
        i64 address;
        T one = 0;
    };

    template <class T> void vector(Core& c, const Row& r, Counts& k, bool narrow) {
        T a[kChunk], b[kChunk];
        const Source<T> of_a(c, r.a, address(c, r.a)), of_b(c, r.b, address(c, r.b));
        const i64 length = r.dst.length, to = address(c, r.dst);
        for (i64 first = 0; first < length; first += kChunk) {
            const i64 n = std::min(kChunk, length - first);
            of_a.take(first, n, r.shift_a, a);
            of_b.take(first, n, r.shift_b, b);
            operate(r.op, a, b, n, narrow);
            finish(r, a, n, k);
            write(c, r.dst, to, first, n, a);
        }
    }

    void accumulate(Core& c, const Row& r) {
        i64 a[kChunk], b[kChunk];
        const Source<i64> of_a(c, r.a, address(c, r.a)), of_b(c, r.b, address(c, r.b));
        i64* sums = c.acc + kLanes * r.dst.value;
        for (i64 first = 0; first < r.dst.length; first += kChunk) {
            const i64 n = std::min(kChunk, r.dst.length - first);
            of_a.take(first, n, r.shift_a, a);
            of_b.take(first, n, r.shift_b, b);
            for (i64 i = 0; i < n; i++) sums[first + i] = wrapping_add(sums[first + i], wrapping_mul(a[i], b[i]));
        }
    }

    void lookup(Core& c, const Row& r, Counts& k) {
        i64 a[kChunk];
        const i64 at = address(c, r.a), to = address(c, r.dst);
        for (i64 first = 0; first < r.dst.length; first += kChunk) {
            const i64 n = std::min(kChunk, r.dst.length - first);
            read(c, r.a, at, first, n, a);
            shift_all(a, n, r.shift_a);
            k.saturated += saturate_all(a, n, r.low, r.high);
            for (i64 i = 0; i < n; i++)
                a[i] = c.tables[(r.bank + (first + i) % r.copies) * set.table_words + r.table + a[i] - r.low];
            write(c, r.dst, to, first, n, a);
        }
    }

    void interpolate(Core& c, const Row& r, Counts& k) {
        i64 a[kChunk], b[kChunk];
        const i64 at = address(c, r.a), to = address(c, r.dst);
        const i64 places = i64{1} << set.line_bits; // of a line, and lines
        const i64* offset = c.tables + r.bank * set.table_words + r.table + places / 2;
        const i64* slope = c.tables + r.slope_bank * set.table_words + r.slope + places / 2;
        for (i64 first = 0; first < r.dst.length; first += kChunk) {
            const i64 n = std::min(kChunk, r.dst.length - first);
            read(c, r.a, at, first, n, a);
            for (i64 i = 0; i < n; i++) {
                const i64 line = a[i] >> set.line_bits, place = a[i] & (places - 1);
                b[i] = offset[line];
                a[i] = slope[line] * place >> set.line_bits;
            }
            shift_all(a, n, r.shift_a);
            shift_all(b, n, r.shift_b);
            operate<i64>(kAdd, a, b, n, false);
            finish(r, a, n, k);
            write(c, r.dst, to, first, n, a);
        }
    }

    // mac

    i64 matrix(Core& c, const Row& r, Counts& k, i64& taken, i64& used) {
        Matrix& m = c.matrices[&r - c.rows.data()];
        if (m.stale) return fault(kDecode, c.index, r.pc, &r - c.rows.data());
        used = r.elements + m.decode_elements;
        m.decode_elements = 0;
        const i64 at = address(c, r.a);
        if (r.a.moving() && !inside(at, r.a)) return fault(kAddress, c.index, r.pc, at, r.a.length, r.a.bits);
        activations.resize(r.a.length);
        const i64* x = activations.data();
        read(c, r.a, at, 0, r.a.length, activations.data());
        i64 count = 0;
        for (i64 j = 0; j < r.a.length; j++) count += x[j] != 0;
        i64 cost[kCosts] = {};
        if (count == r.a.length) std::copy(m.total.begin(), m.total.end(), cost);
        else if (set.banks + 3 <= kFewCosts) costs<kFewCosts>(r, m, x, cost);
        else costs<kCosts>(r, m, x, cost);
        for (i64 time = 0; time < r.repeat; time++)
            multiply(r, m, x + time * r.columns, c.acc + r.first + time * kLanes * r.groups);
        const i64 lanes_end = end_of_lanes(m, x, at);
        i64 read_banks[kMaxBanks] = {}, scan[kMaxBanks] = {};
        i64 words = 0;
        for (i64 bank = 0; bank < set.banks; bank++) {
            read_banks[bank] = cost[3 + bank] + m.mask_banks[bank];
            words += read_banks[bank];
        }
        i64 scan_words = r.scan_words;
        accesses_of_bytes(at, r.a.bytes(), scan);
        if (r.a.moving()) {
            scan_words = 0;
            for (i64 bank = 0; bank < set.banks; bank++) scan_words += scan[bank];
        }
        i64 busy = 0;
        for (i64 bank = 0; bank < set.banks; bank++) {
            busy = std::max(busy, read_banks[bank] + scan[bank]);
            k.reads[bank] += read_banks[bank] + (r.a.moving() ? scan[bank] : 0);
        }
        // The first words of activations and mask may be in one bank.
        const i64 meet = r.masked && bank_of(at / kWordBytes) == bank_of(r.mask_word);
        taken = set.start_matrix + meet + std::max(std::max(lanes_end, scan_words), std::max(m.mask_steps, busy));
        k.cycles += taken;
        k.dm_read += words + (r.a.moving() ? scan_words : 0);
        k.live += count;
        k.stored += m.total[2];
        k.groups += cost[0];
        k.units += cost[1];
        k.products += cost[2];
        return kDone;
    }

    // What the live columns cost, the first N numbers of each.
    template <int N> static void costs(const Row& r, const Matrix& m, const i64* x, i64* cost) {
        for (i64 time = 0; time < r.repeat; time++, x += r.columns)
            for (i64 first = 0; first < r.columns; first += kCostBlock) {
                std::uint16_t sums[N] = {};
                for (i64 j = first; j < std::min(r.columns, first + kCostBlock); j++) {
                    const auto live = static_cast<std::uint16_t>(x[j] != 0 ? 0xffff : 0);
                    const std::uint16_t* of = &m.cost[j * N];
                    for (int f = 0; f < N; f++) sums[f] = static_cast<std::uint16_t>(sums[f] + (of[f] & live));
                }
                for (int f = 0; f < N; f++) cost[f] += sums[f];
            }
    }

    void multiply(const Row& r, const Matrix& m, const i64* x, i64* acc) {
        if (r.fresh) std::fill(acc, acc + kLanes * r.groups, 0);
        if (m.wide) {
            for (i64 j = 0; j < r.columns; j++) {
                if (!x[j]) continue;
                const i64* w = &m.plain[j * r.rows];
                for (i64 o = 0; o < r.rows; o++) acc[o] = wrapping_add(acc[o], wrapping_mul(w[o], x[j]));
            }
            return;
        }
        alignas(32) std::int32_t sums[kMaxRows];
        for (std::size_t s = 0; s + 1 < m.segment.size(); s++) {
            live.resize(m.segment[s + 1] - m.segment[s]);
            std::size_t count = 0;
            for (i64 pair = m.segment[s]; pair < m.segment[s + 1]; pair++) {
                const i64 one = x[2 * pair], other = 2 * pair + 1 < r.columns ? x[2 * pair + 1] : 0;
                live[count] = {pair, static_cast<std::int32_t>((one & 0xffff) | static_cast<i64>(static_cast<u64>(other) << 16))};
                count += (one | other) != 0;
            }
            live.resize(count);
            if (m.bytes) segment_sums(m, m.narrow.data(), sums, live);
            else segment_sums(m, m.broad.data(), sums, live);
            for (i64 o = 0; o < r.rows; o++) acc[o] = wrapping_add(acc[o], static_cast<i64>(sums[o]));
        }
    }

    // The last end of work that is done in order: all of it, and the longest wait for the start of a piece.
    static i64 end_of_lanes(Matrix& m, const i64* x, i64 at) {
        const i64 offset = at % kWordBytes;
        const std::size_t count = m.columns.size();
        auto& starts = m.starts[offset];
        if (starts.size() != count) {
            starts.resize(count);
            for (std::size_t n = 0; n < count; n++)
                starts[n] = std::max((offset + m.columns[n] * m.element_bytes) / kWordBytes, m.known[n]);
        }
        const i64 *column = m.columns.data(), *start = starts.data(), *busy = m.busy.data();
        i64 done = 0, wait = 0;
        for (std::size_t n = 0; n < count; n++) {
            const bool alive = x[column[n]] != 0;
            wait = std::max(wait, alive ? start[n] - done : 0);
            done += alive ? busy[n] : 0;
        }
        return done + wait;
    }

    // Control

    void set_base(Core& c, i64 reg, i64 value) {
        const i64 half = i64{1} << (set.base_bits - 1);
        c.bases[reg] = ((value + half) & (2 * half - 1)) - half;
    }

    i64 transfer(Core& c, const Row& r, Counts& k) {
        if (r.kind == kRecv) {
            if (c.message < 0) return fault(kNoMessage, c.index, r.pc);
            const Message m = messages[c.message];
            if (m.words != r.length) return fault(kMessageLength, c.index, r.pc, r.length, m.words);
            std::copy_n(payloads.begin() + m.begin, m.words, c.words + r.first_word);
            c.message = -1;
            c.taken_at = c.time + r.fixed_cycles;
            written(c, kWordBytes * r.first_word, kWordBytes * (r.first_word + r.length));
            if (m.from_host) {
                k.host_messages++;
                k.host_words += 1 + r.length;
            }
            return kDone;
        }
        const i64 begin = static_cast<i64>(payloads.size());
        payloads.insert(payloads.end(), c.words + r.first_word, c.words + r.first_word + r.length);
        if (r.kind == kSend) {
            messages.push_back({c.time + r.fixed_cycles + set.message_latency, r.core, r.target, begin, r.length, false, c.time});
            c.sent.push_back({false, static_cast<i64>(messages.size()) - 1});
            k.messages++;
            k.message_words += 1 + r.length;
        } else {
            messages.push_back({c.time + r.fixed_cycles, c.index, r.target, begin, r.length, false, 0});
            c.outputs.push_back(static_cast<i64>(messages.size()) - 1);
            k.host_messages++;
            k.host_words += 1 + r.length;
        }
        return kDone;
    }

    bool control(Core& c, const Row& r, Counts& k) {
        switch (r.kind) {
            case kSignal: {
                i64 arrival = c.time + set.control;
                if (r.core != c.index) {
                    arrival += set.message_latency;
                    k.messages++;
                    k.message_words++;
                }
                signals.push_back({arrival, r.core, r.thread});
                c.sent.push_back({true, static_cast<i64>(signals.size()) - 1});
                return false;
            }
            case kEnd: c.running = false; return false;
            case kSetb: set_base(c, r.reg, r.value); return false;
            case kAddb: set_base(c, r.reg, c.bases[r.reg] + r.value); return false;
            case kMovb: set_base(c, r.reg, c.bases[r.source] + r.value); return false;
            case kLoop:
                set_base(c, r.reg, c.bases[r.reg] - 1);
                if (!c.bases[r.reg]) return false;
                c.pc = r.target;
                return true;
            default: c.pc = r.target; return true; // jump
        }
    }

    i64 element(Core& c, const Row& r, Counts& k, i64& taken) {
        const i64 at = address(c, r.a);
        if (r.a.moving() && !inside(at, r.a)) return fault(kAddress, c.index, r.pc, at, r.a.length, r.a.bits);
        i64 value;
        read(c, r.a, at, 0, 1, &value);
        shift_all(&value, 1, r.shift_a);
        if (r.a.moving()) {
            accesses_of_bytes(at, r.a.bytes(), k.reads);
            k.dm_read++;
        }
        bool branch = false;
        if (r.kind == kLdb) set_base(c, r.reg, value);
        else branch = (value == 0) == (r.kind == kBez);
        if (branch) c.pc = r.target;
        taken = set.start_vector + (branch ? set.branch_taken : 0);
        k.cycles += taken;
        return kDone;
    }

    i64 execute(Core& c, const Row& r, Counts& k, i64& taken, i64& used) {
        used = r.elements;
        switch (r.kind) {
            case kFault: return fault(kFaultRow, c.index, r.pc);
            case kMatrix: return matrix(c, r, k, taken, used);
            case kVector: case kAccumulate: case kLookup: case kInterpolate: {
                if (r.moving)
                    if (const i64 status = check_streams(c, r)) return status;
                if (r.kind == kLookup) lookup(c, r, k);
                else if (r.kind == kInterpolate) interpolate(c, r, k);
                else if (r.kind == kAccumulate) accumulate(c, r);
                else if (c.fits[&r - c.rows.data()].all) vector<std::int32_t>(c, r, k, true);
                else vector<i64>(c, r, k, c.fits[&r - c.rows.data()].factors);
                return count_stream(c, r, k, taken);
            }
            case kRecv: case kSend: case kOut: taken = r.fixed_cycles; return transfer(c, r, k);
            case kLdb: case kBez: case kBnz: return element(c, r, k, taken);
            default:
                taken = control(c, r, k) ? set.branch_taken : set.control;
                k.cycles += taken;
                return kDone;
        }
    }

    // Threads

    i64 run_slice(Core& c) {
        while (slice_done < most) {
            const i64 pc = c.pc;
            const i64 at = pc >= 0 && pc < static_cast<i64>(c.row_of_pc.size()) ? c.row_of_pc[pc] : -1;
            if (at < 0) return fault(kNoInstruction, c.index, pc);
            const Row& r = c.rows[at];
            Counts& k = c.counts[at];
            c.pc = r.next_pc;
            i64 taken = 0, used = 0;
            if (const i64 status = execute(c, r, k, taken, used)) {
                c.pc = pc;
                return status;
            }
            k.executions++;
            c.time += taken;
            if (c.streamed && r.ahead) {
                c.time -= r.ahead;
                k.started_ahead++;
            }
            c.streamed = r.streams != 0;
            slice_done++;
            slice_elements += used;
            if (slice_elements > most_elements || !c.running) return kDone;
        }
        return kDone;
    }

    i64 next_slice(Core& c) {
        if (instructions >= set.max_instructions) return fault(kInstructions, c.index, c.pc);
        most = std::min(set.max_instructions - instructions, set.slice);
        most_elements = set.max_elements - elements;
        slice_done = slice_elements = 0;
        sent_before = static_cast<i64>(c.sent.size());
        outputs_before = static_cast<i64>(c.outputs.size());
        in_slice = true;
        return kDone;
    }

    i64 spend(Core& c) {
        in_slice = false;
        instructions += slice_done;
        elements += slice_elements;
        for (i64 n = sent_before; n < static_cast<i64>(c.sent.size()); n++)
            words += set.message_cost + (c.sent[n].is_signal ? 0 : messages[c.sent[n].index].words);
        for (i64 n = outputs_before; n < static_cast<i64>(c.outputs.size()); n++)
            words += set.message_cost + messages[c.outputs[n]].words;
        if (elements > set.max_elements) return fault(kElements, c.index, c.pc);
        if (words > set.max_words) return fault(kWords, c.index, c.pc);
        return kDone;
    }

    i64 deliver(const Sent& sent, i64 sender) {
        const i64 arrival = sent.is_signal ? signals[sent.index].arrival : messages[sent.index].arrival;
        const i64 to = sent.is_signal ? signals[sent.index].core : messages[sent.index].core;
        if (to < 0 || to >= static_cast<i64>(core_of_index.size()) || core_of_index[to] < 0) return fault(kNoCore, to, 0);
        delivered++;
        const Order order{arrival, sender < 0 ? 0 : sender == to ? 1 : 2 + sender, delivered};
        if (sent.is_signal) pending.push({order, signals[sent.index]});
        else cores[core_of_index[to]].queue.push({order, messages[sent.index].target, sent.index});
        return kDone;
    }

    i64 next(Core*& found) {
        for (;;) {
            found = nullptr;
            i64 start = 0;
            for (auto& c : cores) {
                if (c.queue.empty()) continue;
                const i64 when = std::max(c.time, c.queue.top().order.time);
                if (!found || when < start) {
                    found = &c;
                    start = when;
                }
            }
            if (pending.empty() || (found && start < pending.top().order.time)) return kDone;
            const Pending p = pending.top();
            pending.pop();
            Core& c = cores[core_of_index[p.signal.core]];
            if (p.signal.thread >= static_cast<i64>(c.initial.size())) return fault(kNoThread, c.index, 0, p.signal.thread);
            if (--c.dependency[p.signal.thread] == 0) {
                c.dependency[p.signal.thread] = c.initial[p.signal.thread];
                c.queue.push({p.order, c.thread_pc[p.signal.thread], -1});
            }
        }
    }

    void start_thread(Core& c) {
        const Ready ready = c.queue.top();
        c.queue.pop();
        const i64 waited = std::max<i64>(ready.order.time - c.time, 0);
        c.waiting[ready.message < 0 ? 1 : 0] += waited;
        c.time += waited;
        c.pc = ready.pc;
        c.message = c.woken_by = ready.message;
        c.taken_at = -1;
        c.running = true;
        c.streamed = false;
        c.time += set.thread_switch;
        const i64 at = c.pc < static_cast<i64>(c.row_of_pc.size()) ? c.row_of_pc[c.pc] : -1;
        if (at < 0) return;
        c.counts[at].switches++;
        (ready.message < 0 ? c.counts[at].wait_dependency : c.counts[at].wait_message) += waited;
    }

    i64 end_thread(Core& c) {
        if (c.woken_by >= 0 && !messages[c.woken_by].from_host) {
            const Message& m = messages[c.woken_by];
            c.changes.emplace_back(m.sent, 1 + m.words);
            c.changes.emplace_back(c.taken_at < 0 ? c.time : c.taken_at, -(1 + m.words));
        }
        for (const auto& sent : c.sent)
            if (const i64 status = deliver(sent, c.index)) return status;
        c.sent.clear();
        outputs.insert(outputs.end(), c.outputs.begin(), c.outputs.end());
        c.outputs.clear();
        return kDone;
    }

    // Frames

    void begin_frame() {
        messages.clear();
        signals.clear();
        payloads.clear();
        pending.clear();
        outputs.clear();
        instructions = elements = words = 0;
        for (auto& c : cores) {
            c.time = 0;
            c.queue.clear();
            c.sent.clear();
            c.outputs.clear();
            c.changes.clear();
            std::fill(std::begin(c.waiting), std::end(c.waiting), 0);
            if (set.check_state) {
                for (i64 i = 0; i < set.acc_elements; i++) c.acc[i] = set.poison - i;
                for (i64 reg = 1; reg < set.base_registers; reg++) c.bases[reg] = set.base_poison - reg;
            }
        }
    }

    i64 post(const u64* input) {
        for (std::size_t n = 0; n < records.size(); n += 3) {
            const i64 count = records[n + 2];
            const i64 begin = static_cast<i64>(payloads.size());
            payloads.insert(payloads.end(), input, input + count);
            input += count;
            messages.push_back({0, records[n], records[n + 1], begin, count, true, 0});
            if (const i64 status = deliver({false, static_cast<i64>(messages.size()) - 1}, -1)) return status;
        }
        return kDone;
    }

    i64 run_threads() {
        for (;;) {
            if (!current) {
                if (const i64 status = next(current)) return status;
                if (!current) return kDone;
                start_thread(*current);
            }
            Core& c = *current;
            while (c.running) {
                if (!in_slice)
                    if (const i64 status = next_slice(c)) return status;
                if (const i64 status = run_slice(c)) return status;
                if (const i64 status = spend(c)) return status;
            }
            current = nullptr;
            if (const i64 status = end_thread(c)) return status;
        }
    }

    i64 check_router() {
        for (auto& c : cores) {
            std::sort(c.changes.begin(), c.changes.end());
            i64 waiting = 0, most_waiting = 0;
            for (const auto& change : c.changes) {
                waiting += change.second;
                most_waiting = std::max(most_waiting, waiting);
            }
            if (most_waiting > set.router_words) return fault(kRouter, c.index, 0, most_waiting);
        }
        return kDone;
    }

    // Outputs into their places; anything unusual is left to Python.
    i64 end_frame(u64* output, i64& elapsed, i64& latency) {
        std::stable_sort(outputs.begin(), outputs.end(), [&](i64 a, i64 b) { return messages[a].arrival < messages[b].arrival; });
        elapsed = 0;
        for (const auto& c : cores) elapsed = std::max(elapsed, c.time);
        for (auto& c : cores) c.waiting[2] += elapsed - c.time;
        latency = outputs.empty() ? elapsed : messages[outputs.back()].arrival;
        if (outputs.size() != mailboxes.size() / 2) return fault(kFrameEnd, 0, 0);
        bool usual = true;
        for (i64 index : outputs) {
            const Message& m = messages[index];
            i64 place = 0;
            std::size_t n = 0;
            for (; n < mailboxes.size() && mailboxes[n] != m.target; n += 2) place += mailboxes[n + 1];
            if (n == mailboxes.size() || mailboxes[n + 1] != m.words) return fault(kFrameEnd, 0, 0);
            std::copy_n(payloads.begin() + m.begin, m.words, output + place);
        }
        for (std::size_t n = 0; n < outputs.size(); n++)
            for (std::size_t o = 0; o < n; o++) usual &= messages[outputs[n]].target != messages[outputs[o]].target;
        for (auto& c : cores)
            for (std::size_t t = 0; t < c.initial.size(); t++) usual &= c.dependency[t] == c.initial[t];
        return usual ? kDone : fault(kFrameEnd, 0, 0);
    }

    // Ends before the last frame where a call would take long; ``frame`` says where.
    i64 run(i64 frames, const u64* inputs, i64 input_words, u64* out, i64 output_words, i64* elapsed, i64* latency, i64* waiting) {
        for (i64 work = 0; frame < frames && work < kCallElements; frame++) {
            if (!in_frame) {
                begin_frame();
                if (const i64 status = post(inputs + frame * input_words)) return status;
                in_frame = true;
            }
            if (const i64 status = run_threads()) return status;
            if (const i64 status = check_router()) return status;
            in_frame = false;
            const i64 status = end_frame(out + frame * output_words, elapsed[frame], latency[frame]);
            for (std::size_t n = 0; n < cores.size(); n++)
                for (int cause = 0; cause < 3; cause++) waiting[3 * n + cause] += cores[n].waiting[cause];
            if (status) return status;
            work += elements + kInstructionElements * instructions;
        }
        return kDone;
    }
};

} // namespace
