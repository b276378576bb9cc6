// What Python and the loop exchange: rows of decoded instructions, counts, settings, and why a run has stopped.

#pragma once

#include <cstdint>
#include <limits>

namespace {

using i32 = std::int32_t;
using i64 = std::int64_t;
using u64 = std::uint64_t;

constexpr int kMaxBanks = 16;
constexpr int kLanes = 8;
constexpr i64 kMaxRows = 1024; // outputs of a matrix
constexpr i64 kWordBytes = 8;
constexpr i64 kChunk = 512;

enum Kind : i64 {
    kFault, kVector, kAccumulate, kLookup, kInterpolate, kMatrix, kRecv, kSend, kOut, kSignal, kEnd, kSetb, kAddb, kMovb,
    kLoop, kJump, kLdb, kBez, kBnz
};
enum Op : i64 { kPass, kAdd, kSub, kMul, kMax, kMin, kGt, kGe, kEq, kAnd, kOr, kXor, kScale };
enum OperandKind : i64 { kNone, kMemory, kAccumulator, kImmediate };
enum Clip : i64 { kWhole, kSaturate, kLowBits, kPositive };

// Why a run has stopped. The same numbers stand in native/status.py.
enum Status : i64 {
    kDone, kDecode, kFaultRow, kNoInstruction, kAddress, kOrder, kNoMessage, kMessageLength, kNoThread, kNoCore,
    kInstructions, kElements, kWords, kRouter, kFrameEnd
};

struct Operand {
    i64 kind, bits, base, value, length;

    bool in_memory() const { return kind == kMemory; }
    bool moving() const { return kind == kMemory && base != 0; }
    i64 bytes() const { return length * bits / 8; }
};

// One decoded instruction; native/flat_rows.py fills it, field by field in this order.
struct Row {
    i64 kind, pc, next_pc, ahead, streams, fixed_cycles, elements, start, moving;
    Operand dst, a, b;
    i64 op, shift_a, shift_b, shift, rounded, clip, low, high, mask, lane_passes, copies, tables;
    i64 bank, table, slope_bank, slope;
    i64 first, columns, repeat, rows, groups, scan_words, fresh, masked, mask_word;
    i64 first_word, length, core, target, thread, reg, value, source;
};

// What every row counts beyond its executions; native/loop_counts.py reads it.
struct Counts {
    i64 executions, started_ahead, cycles, saturated, switches, live, stored, groups, units, products, dm_read, dm_write,
        messages, message_words, host_messages, host_words, wait_message, wait_dependency;
    i64 reads[kMaxBanks], writes[kMaxBanks];
};

struct Settings {
    i64 lanes, banks, bank_words, acc_elements, table_words, message_latency, router_words;
    i64 base_bits, base_registers, line_bits;
    i64 control, branch_taken, thread_switch, start_vector, start_matrix, table_ports;
    i64 slice, message_cost, max_instructions, max_elements, max_words;
    i64 check_state, poison, base_poison;
    i64 narrow; // 0: all numbers have 64 bits, which tests compare with
};

} // namespace
