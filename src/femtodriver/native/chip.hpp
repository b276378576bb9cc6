// The chip: cores, threads, router and instructions, frame by frame.

#pragma once

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>
#include <vector>

#include "banks.hpp"
#include "core.hpp"
#include "streams.hpp"

namespace {

// After how much work a call returns to Python, which then looks for Ctrl-C: some tenths of a second.
constexpr i64 kCallElements = i64{1} << 25;
constexpr i64 kInstructionElements = 32; // that an instruction counts for

constexpr i64 kNothing[kCosts] = {};

struct Spu {
    Settings set;
    std::vector<Core> cores;
    std::vector<i64> core_of_index;
    std::vector<Message> messages;
    std::vector<Signal> signals;
    std::vector<u64> payloads;
    Heap<Pending> pending;
    std::vector<i64> outputs;
    std::vector<std::uint16_t> live_words; // which activations of a mac are live
    Banks banks{};
    std::vector<i64> records; // of the messages that a frame begins with: core, pc, words, arrival
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

    bool inside(i64 address, const Place& o) const {
        const i64 size = o.size();
        return address % size == 0 && address >= 0 && address + o.length * size <= kWordBytes * set.banks * set.bank_words;
    }

    // Streams

    i64 check_streams(const Core& c, const Step& r) {
        for (const Place* o : {&r.a, &r.b, &r.dst})
            if (o->moving() && !inside(c.address(*o), *o))
                return fault(kAddress, c.index, r.pc, c.address(*o), o->length, o->bits);
        return kDone;
    }

    // Whether a store would reach elements of a source that are still to be read; see machine/operand_checks.py.
    static bool out_of_order(const Core& c, const Step& r, const Place& source) {
        if (source.length == 1 || source.kind != r.dst.kind) return false;
        if (!source.in_memory()) {
            const i64 apart = (r.dst.value - source.value) * kLanes;
            return 0 < apart && apart < source.length;
        }
        const i64 to = c.address(r.dst), of = c.address(source);
        const bool overlap = to < of + source.bytes() && of < to + r.dst.bytes();
        return overlap && !(to <= of && r.dst.bits == source.bits);
    }
    i64 check_order(const Core& c, const Step& r) {
        int side = 0;
        for (const Place* o : {&r.a, &r.b}) {
            if (o->kind != kNone && out_of_order(c, r, *o)) return fault(kOrder, c.index, r.pc, side, c.address(r.dst), c.address(*o));
            side++;
        }
        return kDone;
    }

    void execute_stream(Core& c, const Step& r, Counts& k) const {
        switch (r.kind) {
            case kVector: vector(c, r, k); break;
            case kAccumulate: accumulate(c, r); break;
            case kLookup: lookup(c, r, k, set.table_words); break;
            default: interpolate(c, r, k, set.line_bits);
        }
        if (r.dst.in_memory()) {
            const i64 first = c.address(r.dst);
            c.written(first, first + r.dst.bytes());
        }
    }

    // Loops come to the same addresses again and again: checks and counts of these are remembered.
    i64 moving_stream(Core& c, const Step& r, Counts& k, i64& taken) {
        const i64 row = &r - c.rows.data();
        const i64 at[] = {c.address(r.a), c.address(r.b), c.address(r.dst)};
        auto& seen = c.seen[row];
        if (seen.empty()) seen.resize(kRemembered);
        const u64 place = (static_cast<u64>(at[0]) * 0x9e3779b97f4a7c15 + static_cast<u64>(at[1]) * 0xc2b2ae3d27d4eb4f +
                           static_cast<u64>(at[2]) * 0x165667b19e3779f9) >> 32 & (kRemembered - 1);
        Seen& s = seen[place];
        const bool known = s.cycles && std::equal(at, at + 3, s.at);
        if (!known)
            if (const i64 status = check_streams(c, r)) return status;
        execute_stream(c, r, k);
        if (!known) {
            if (const i64 status = check_order(c, r)) return status;
            Core::tell(k, s);
            remember(c, r, s);
            std::copy(at, at + 3, s.at);
        }
        if (c.used.size() > kMostUsed) c.tell_counts();
        if (!s.times++) c.used.emplace_back(row, place);
        taken = s.cycles;
        return kDone;
    }
    void remember(Core& c, const Step& r, Seen& s) {
        std::fill(s.reads, s.reads + kMaxBanks, 0);
        std::fill(s.writes, s.writes + kMaxBanks, 0);
        for (const Place* o : {&r.a, &r.b})
            if (o->in_memory()) banks.accesses_of_bytes(c.address(*o), o->bytes(), s.reads);
        if (r.dst.in_memory()) banks.accesses_of_bytes(c.address(r.dst), r.dst.bytes(), s.writes);
        s.dm_read = std::accumulate(s.reads, s.reads + kMaxBanks, i64{0});
        s.dm_write = std::accumulate(s.writes, s.writes + kMaxBanks, i64{0});
        s.cycles = banks.moving_cycles(c, r);
    }

    // mac

    i64 matrix(Core& c, const Step& r, Counts& k, i64& taken, i64& used) {
        const i64 row = &r - c.rows.data();
        Matrix& m = c.matrices[row];
        if (m.stale) return fault(kDecode, c.index, r.pc, row);
        used = r.elements + m.decode_elements;
        m.decode_elements = 0;
        const i64 at = c.address(r.a), length = r.a.length;
        if (r.a.moving() && !inside(at, r.a)) return fault(kAddress, c.index, r.pc, at, r.a.length, r.a.bits);
        if (static_cast<i64>(live_words.size()) < live_numbers(length)) live_words.resize(live_numbers(length));
        const std::uint16_t* live_at = live_words.data();
        const i64 live = live_bits(c.bytes() + at, length, r.a.bits, live_words.data());
        const bool few = 10 * live < 7 * length;
        for (i64 time = 0; time < r.repeat; time++) {
            i64* acc = c.acc + r.first + time * kLanes * r.groups;
            if (live) multiply(m, c.bytes() + at + time * r.columns * r.a.size(), r.a.bits, r.columns, r.rows, acc, r.fresh, few);
            else if (r.fresh) std::fill(acc, acc + kLanes * r.groups, i64{0});
        }
        MatrixCosts& costs = m.costs;
        if (live == length && !r.a.moving()) {
            if (!costs.times_all++) c.used_matrices.push_back(row);
            taken = costs.taken_all;
            return kDone;
        }
        i64 sums[kCosts];
        const i64* cost = live == length ? costs.total : live ? sums : kNothing;
        if (cost == sums) costs.add_up(live_at, sums);
        i64 moving_scan[kMaxBanks];
        const i64* scan = costs.scan;
        i64 scan_words = r.scan_words;
        bool meet = costs.meet;
        if (r.a.moving()) {
            std::fill(moving_scan, moving_scan + kMaxBanks, 0);
            banks.accesses_of_bytes(at, r.a.bytes(), moving_scan);
            scan = moving_scan;
            scan_words = std::accumulate(scan, scan + set.banks, i64{0});
            meet = r.masked && banks.bank_of(at / kWordBytes) == banks.bank_of(r.mask_word);
            for (i64 bank = 0; bank < set.banks; bank++) k.reads[bank] += scan[bank];
            k.dm_read += scan_words;
        }
        const i64 lanes_end = costs.end_of_lanes(live_at, at, cost[0], live, length);
        taken = costs.tell(k, cost, live, set.banks, lanes_end, scan, scan_words, set.start_matrix + meet);
        return kDone;
    }

    // Control

    void set_base(Core& c, i64 reg, i64 value) {
        const i64 half = i64{1} << (set.base_bits - 1);
        c.bases[reg] = ((value + half) & (2 * half - 1)) - half;
    }

    i64 transfer(Core& c, const Step& r, Counts& k) {
        if (r.kind == kRecv) {
            if (c.message < 0) return fault(kNoMessage, c.index, r.pc);
            const Message m = messages[c.message];
            if (m.words != r.length) return fault(kMessageLength, c.index, r.pc, r.length, m.words);
            std::copy_n(payloads.begin() + m.begin, m.words, c.words + r.first_word);
            c.message = -1;
            c.taken_at = c.time + r.fixed_cycles;
            c.written(kWordBytes * r.first_word, kWordBytes * (r.first_word + r.length));
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

    bool control(Core& c, const Step& r, Counts& k) {
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

    i64 element(Core& c, const Step& r, Counts& k, i64& taken) {
        const i64 at = c.address(r.a);
        if (r.a.moving() && !inside(at, r.a)) return fault(kAddress, c.index, r.pc, at, r.a.length, r.a.bits);
        const Stages<i64>& s = r.plan.whole;
        const i64 value = shifted_in(load_one(c.bytes() + at, r.a.kind, r.a.bits), s.left_a, s.right_a);
        if (r.a.moving()) {
            banks.accesses_of_bytes(at, r.a.bytes(), k.reads);
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

    i64 execute(Core& c, const Step& r, Counts& k, i64& taken, i64& used) {
        used = r.elements;
        switch (r.kind) {
            case kFault: return fault(kFaultRow, c.index, r.pc);
            case kMatrix: return matrix(c, r, k, taken, used);
            case kVector: case kAccumulate: case kLookup: case kInterpolate:
                if (r.moving) return moving_stream(c, r, k, taken);
                execute_stream(c, r, k);
                taken = r.fixed_cycles;
                return kDone;
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
        i64 at = c.row_at(c.pc);
        while (slice_done < most) {
            if (at < 0) return fault(kNoInstruction, c.index, c.pc);
            const Step& r = c.rows[at];
            Counts& k = c.counts[at];
            c.pc = r.next_pc;
            i64 taken = 0, used = 0;
            if (const i64 status = execute(c, r, k, taken, used)) {
                c.pc = r.pc;
                return status;
            }
            at = c.pc == r.next_pc ? r.next : c.row_at(c.pc);
            k.executions++;
            c.time += taken;
            if (c.streamed && r.ahead) {
                c.time -= r.ahead;
                k.started_ahead++;
            }
            c.streamed = r.streams;
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
        const i64 at = c.row_at(c.pc);
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
        for (std::size_t n = 0; n < records.size(); n += 4) {
            const i64 count = records[n + 2];
            const i64 begin = static_cast<i64>(payloads.size());
            payloads.insert(payloads.end(), input, input + count);
            input += count;
            messages.push_back({records[n + 3], records[n], records[n + 1], begin, count, true, 0});
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
            i64 all = 0; // as if nothing were ever taken
            for (const auto& change : c.changes) all += std::max<i64>(change.second, 0);
            if (all <= set.router_words) continue;
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
        const auto earlier = [&](i64 a, i64 b) { return messages[a].arrival < messages[b].arrival; };
        // Most frames have one output or a few, in order; std::stable_sort would allocate memory for them.
        if (!std::is_sorted(outputs.begin(), outputs.end(), earlier)) std::stable_sort(outputs.begin(), outputs.end(), earlier);
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
