// The loop of the open SPU: cores, threads, router and instructions, run frame by frame without Python.
//
// Python decodes the program and owns every rule (machine/); this file gets flat rows of numbers and runs them. Whatever
// stops a run is returned as a status with a few numbers, of which Python makes the sentence. docs/native.md explains.

#include <algorithm>
#include <cstring>
#include <iterator>
#include <memory>

#include "chip.hpp"

#ifndef FEMTO_SOURCE
#define FEMTO_SOURCE ""
#endif
#pragma GCC visibility push(default)
extern "C" {

// Which source this was built from: its SHA-256.
const char* femto_source() { return FEMTO_SOURCE; }
int femto_row_numbers() { return sizeof(Row) / sizeof(i64); }
int femto_count_numbers() { return sizeof(Counts) / sizeof(i64); }
int femto_setting_numbers() { return sizeof(Settings) / sizeof(i64); }
int femto_max_banks() { return kMaxBanks; }
int femto_max_rows() { return kMaxRows; }
int femto_lanes() { return kLanes; }
#if defined(__x86_64__)
int femto_has_avx2() { return __builtin_cpu_supports("avx2") != 0; }
#else
int femto_has_avx2() { return 0; }
#endif

void* femto_new(const i64* settings, i64 cores) {
    auto spu = std::make_unique<Spu>();
    std::memcpy(&spu->set, settings, sizeof(Settings));
    spu->banks = {spu->set.lanes, spu->set.banks, spu->set.bank_words, spu->set.table_ports, {}};
    spu->cores.reserve(cores);
    return spu.release();
}

// What frames begin with from now on, which outputs they must have (others are left to Python), and what they may cost.
void femto_expect(void* machine, const i64* records, i64 inputs, const i64* mailboxes, i64 outputs, const i64* limits,
                  i64 check_state) {
    auto& spu = *static_cast<Spu*>(machine);
    spu.records.assign(records, records + 4 * inputs);
    spu.mailboxes.assign(mailboxes, mailboxes + 2 * outputs);
    spu.set.max_instructions = limits[0];
    spu.set.max_elements = limits[1];
    spu.set.max_words = limits[2];
    spu.set.check_state = check_state;
}

// Python has stored to these bytes of a core's data memory.
void femto_written(void* machine, i64 core, i64 first, i64 end) {
    auto& spu = *static_cast<Spu*>(machine);
    spu.cores[spu.core_of_index[core]].written(first, end);
}

void femto_free(void* spu) { delete static_cast<Spu*>(spu); }

void femto_add_core(void* machine, i64 index, u64* words, i64* acc, const i64* tables, i64* bases, const i64* rows, i64 count,
                    Counts* counts, i64 code_words, const i64* initial, const i64* thread_pc, i64 threads, i64* dependency) {
    auto& spu = *static_cast<Spu*>(machine);
    spu.cores.emplace_back();
    Core& c = spu.cores.back();
    c.index = index;
    c.words = words;
    c.acc = acc;
    c.tables = tables;
    c.bases = bases;
    c.counts = counts;
    c.dependency = dependency;
    c.matrices.resize(count);
    c.seen.resize(count);
    c.row_of_pc.assign(code_words, -1);
    const Row* all = reinterpret_cast<const Row*>(rows);
    c.rows.reserve(count);
    for (i64 n = 0; n < count; n++) {
        c.rows.emplace_back(all[n], spu.set);
        c.row_of_pc[all[n].pc] = static_cast<i32>(n);
    }
    c.lines.resize(count);
    for (i64 n = 0; n < count; n++)
        if (c.rows[n].kind == kInterpolate) c.set_lines(n, spu.set.table_words, spu.set.line_bits);
    for (auto& row : c.rows) row.next = static_cast<i32>(c.row_at(row.next_pc));
    c.initial.assign(initial, initial + threads);
    c.thread_pc.assign(thread_pc, thread_pc + threads);
    spu.core_of_index.resize(std::max<std::size_t>(spu.core_of_index.size(), index + 1), -1);
    spu.core_of_index[index] = static_cast<i64>(spu.cores.size()) - 1;
}

void femto_watch(void* machine, i64 core, i64 row, i64 first, i64 end) {
    auto& spu = *static_cast<Spu*>(machine);
    Core& c = spu.cores[spu.core_of_index[core]];
    c.watches.push_back({first, end, row});
    c.marked = false;
}

void femto_set_matrix(void* machine, i64 core, i64 row, const i64* values, const i64* cost, const i64* total,
                      const i64* mask_banks, i64 mask_steps, const i64* columns, const i64* busy, const i64* known, i64 count,
                      i64 element_bytes, i64 decode_elements, const i64* bytes) {
    auto& spu = *static_cast<Spu*>(machine);
    Core& c = spu.cores[spu.core_of_index[core]];
    const Step& r = c.rows[row];
    Matrix& m = c.matrices[row];
    const i64 width = 3 + spu.set.banks;
    pack(m, values, r.columns, r.rows, r.a.bits, spu.set.narrow != 0);
    m.costs.set_costs(cost, r.columns, r.repeat, width);
    std::copy(total, total + width, m.costs.total);
    std::copy(mask_banks, mask_banks + spu.set.banks, m.costs.mask_banks);
    m.costs.mask_steps = mask_steps;
    m.costs.element_bytes = element_bytes;
    m.costs.set_work(columns, busy, known, count, cost, r.columns, r.repeat, width);
    std::fill(m.costs.scan, m.costs.scan + kMaxBanks, 0);
    if (!r.a.moving()) {
        spu.banks.accesses_of_bytes(r.a.value, r.a.bytes(), m.costs.scan);
        m.costs.meet = r.masked && spu.banks.bank_of(r.a.value / kWordBytes) == spu.banks.bank_of(r.mask_word);
    }
    m.costs.all = Counts{};
    if (!r.a.moving()) {
        const i64 end = m.costs.end_of_lanes(nullptr, r.a.value, total[0], r.a.length, r.a.length), start = spu.set.start_matrix + m.costs.meet;
        m.costs.taken_all = m.costs.tell(m.costs.all, m.costs.total, r.a.length, spu.set.banks, end, m.costs.scan, r.scan_words, start);
    }
    m.decode_elements = decode_elements;
    std::copy(bytes, bytes + 4, m.bytes_kept);
    m.stale = false;
    c.marked = false;
}

// Everything that a reset of the memories undoes.
void femto_reset(void* machine) {
    auto& spu = *static_cast<Spu*>(machine);
    spu.current = nullptr;
    spu.in_frame = spu.in_slice = false;
    for (auto& c : spu.cores) {
        c.running = c.marked = false;
        for (auto& m : c.matrices) {
            m.stale |= m.touched;
            m.touched = false;
        }
    }
}

// Frames [first, frames), or the first of them: info[6] is the one after the last that was run. ``again``: a run that has
// stopped with kDecode goes on.
i64 femto_run(void* machine, i64 first, i64 frames, const u64* inputs, i64 input_words, u64* outputs, i64 output_words, i64* elapsed,
              i64* latency, i64* waiting, i64 again, i64* info) {
    auto& spu = *static_cast<Spu*>(machine);
    if (!again) {
        spu.frame = first;
        spu.current = nullptr;
        spu.in_frame = spu.in_slice = false;
    }
    const i64 status = spu.run(frames, inputs, input_words, outputs, output_words, elapsed, latency, waiting);
    for (auto& c : spu.cores) c.tell_counts();
    std::copy(std::begin(spu.info), std::end(spu.info), info);
    info[6] = spu.frame;
    return status;
}

// The output messages of the frame that has stopped: arrival, core, mailbox, words of each; their payloads one after another.
i64 femto_outputs(void* machine, i64* heads, u64* payload, i64 room) {
    auto& spu = *static_cast<Spu*>(machine);
    i64 used = 0;
    for (i64 index : spu.outputs) used += spu.messages[index].words;
    if (!heads || used > room) return used;
    for (i64 index : spu.outputs) {
        const Message& m = spu.messages[index];
        const i64 head[] = {m.arrival, m.core, m.target, m.words};
        heads = std::copy(std::begin(head), std::end(head), heads);
        payload = std::copy_n(spu.payloads.begin() + m.begin, m.words, payload);
    }
    return static_cast<i64>(spu.outputs.size());
}

i64 femto_output_count(void* machine) { return static_cast<i64>(static_cast<Spu*>(machine)->outputs.size()); }
}
#pragma GCC visibility pop
