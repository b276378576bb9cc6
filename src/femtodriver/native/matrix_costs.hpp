// What the live activations of a mac cost: tables for each four of them, by which of the four are live.

#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include "records.hpp"

namespace {

constexpr i64 kFour = 4, kPatterns = 16;
constexpr int kFewCosts = 16, kCosts = 32; // room for three numbers and those of 13 banks, or of kMaxBanks
constexpr i64 kCostFours = 15;             // fours whose costs, at most one a row, are added up in 16 bits
static_assert(kFour * kCostFours * kMaxRows < 1 << 16);

typedef std::uint16_t SixteenCosts __attribute__((vector_size(2 * kFewCosts)));

// What the live ones of four activations add to the lanes' work, and how long the latest of them makes the lanes wait.
struct LanesWork {
    i32 busy, wait;
};
constexpr i32 kNoWait = -(1 << 30);

// Which of four activations are live.
inline unsigned pattern_of(const std::int8_t* x) {
    std::uint32_t w;
    std::memcpy(&w, x, sizeof w);
    const u64 live = (((w & 0x7f7f7f7f) + 0x7f7f7f7f) | w) & 0x80808080;
    return (live >> 7) * 0x01020408 >> 24 & 15;
}
inline unsigned pattern_of(const std::int16_t* x) {
    u64 w;
    std::memcpy(&w, x, sizeof w);
    const u64 live = (((w & 0x7fff7fff7fff7fff) + 0x7fff7fff7fff7fff) | w) & 0x8000800080008000;
    return (live >> 15) * 0x0001000200040008 >> 48 & 15;
}
inline unsigned pattern_of(const i32* x) {
    i32 w[kFour];
    std::memcpy(w, x, sizeof w);
    return (w[0] != 0) | (w[1] != 0) << 1 | (w[2] != 0) << 2 | (w[3] != 0) << 3;
}
// Those of all activations, four bits for each four; how many are live.
template <class T> i64 live_patterns(const char* from, i64 length, std::uint8_t* patterns) {
    const auto* x = reinterpret_cast<const T*>(from);
    constexpr u64 ones = 0x4332322132212110; // in each pattern
    i64 count = 0;
    for (i64 n = 0; n < length / kFour; n++) {
        const unsigned pattern = pattern_of(x + kFour * n);
        patterns[n] = static_cast<std::uint8_t>(pattern);
        count += ones >> (4 * pattern) & 15;
    }
    if (length % kFour) {
        T rest[kFour] = {};
        std::memcpy(rest, x + length / kFour * kFour, length % kFour * sizeof(T));
        const unsigned pattern = pattern_of(rest);
        patterns[length / kFour] = static_cast<std::uint8_t>(pattern);
        count += ones >> (4 * pattern) & 15;
    }
    return count;
}
inline i64 live_patterns(const char* x, i64 length, i64 bits, std::uint8_t* patterns) {
    return bits == 8    ? live_patterns<std::int8_t>(x, length, patterns)
           : bits == 16 ? live_patterns<std::int16_t>(x, length, patterns)
                        : live_patterns<i32>(x, length, patterns);
}

struct MatrixCosts {
    int width = 0;                             // kFewCosts or kCosts
    std::vector<std::uint32_t> table;          // of each four columns of all repetitions
    std::vector<std::uint16_t> sums;           // tables x patterns x width
    std::vector<i64> total, mask_banks;        // see DecodedWeights
    std::vector<i64> columns, busy, known;     // see MatrixPipeline
    std::vector<LanesWork> work[kWordBytes];   // fours x patterns, by the place of the first activation in its word
    i64 element_bytes = 1, mask_steps = 0;
    i64 scan[kMaxBanks] = {}; // words of the activations in each bank, where they do not move
    bool meet = false;        // their first word is in the same bank as that of the mask

    // ``cost``: columns x numbers, of all repetitions alike.
    void set_tables(const i64* cost, i64 all_columns, i64 repeat, i64 numbers) {
        width = numbers <= kFewCosts ? kFewCosts : kCosts;
        std::unordered_map<std::string, std::uint32_t> known_tables;
        table.clear();
        sums.clear();
        std::string key;
        for (i64 first = 0; first < all_columns * repeat; first += kFour) {
            std::uint16_t one[kFour][kCosts] = {};
            for (i64 n = 0; n < kFour && first + n < all_columns * repeat; n++)
                for (i64 f = 0; f < numbers; f++)
                    one[n][f] = static_cast<std::uint16_t>(cost[(first + n) % all_columns * numbers + f]);
            key.assign(reinterpret_cast<const char*>(one), sizeof one);
            const auto found = known_tables.emplace(key, static_cast<std::uint32_t>(known_tables.size()));
            table.push_back(found.first->second);
            if (!found.second) continue;
            for (int pattern = 0; pattern < kPatterns; pattern++)
                for (int f = 0; f < width; f++) {
                    int sum = 0;
                    for (int n = 0; n < kFour; n++) sum += pattern >> n & 1 ? one[n][f] : 0;
                    sums.push_back(static_cast<std::uint16_t>(sum));
                }
        }
        for (auto& kind : work) kind.clear();
        std::fill(full_end, full_end + kWordBytes, -1);
    }

    // to: ``width`` sums over the live columns.
    void add_up(const std::uint8_t* patterns, i64* to) const {
        if (width == kFewCosts) add_up<1>(patterns, to);
        else add_up<2>(patterns, to);
    }
    template <int VECTORS> void add_up(const std::uint8_t* patterns, i64* to) const {
        const i64 fours = static_cast<i64>(table.size());
        for (i64 first = 0; first < fours; first += kCostFours) {
            SixteenCosts all[VECTORS] = {};
            for (i64 n = first; n < std::min(fours, first + kCostFours); n++)
                for (int v = 0; v < VECTORS; v++) {
                    SixteenCosts some;
                    std::memcpy(&some, &sums[((table[n] * kPatterns + patterns[n]) * VECTORS + v) * kFewCosts], sizeof some);
                    all[v] += some;
                }
            std::uint16_t some[VECTORS * kFewCosts];
            std::memcpy(some, all, sizeof some);
            for (int f = 0; f < VECTORS * kFewCosts; f++) to[f] = (first ? to[f] : 0) + some[f];
        }
    }

    // The last end of work that is done in order: all of it, and the longest wait for the start of a piece.
    i64 end_of_lanes(const std::uint8_t* patterns, i64 address, bool all_live) {
        const i64 offset = address % kWordBytes;
        if (!all_live) return end_at(patterns, offset);
        if (full_end[offset] < 0) full_end[offset] = end_at(patterns, offset);
        return full_end[offset];
    }

  private:
    i64 full_end[kWordBytes]; // where all activations are live; -1: not known yet

    i64 end_at(const std::uint8_t* patterns, i64 offset) {
        const auto& mine = work_at(offset);
        const LanesWork* four = mine.data();
        i32 done = 0, wait = 0;
        for (std::size_t n = 0; n < table.size(); n++, four += kPatterns) {
            const LanesWork some = four[patterns[n]];
            wait = std::max(wait, some.wait - done);
            done += some.busy;
        }
        return i64{done} + wait;
    }
    const std::vector<LanesWork>& work_at(i64 offset) {
        auto& made = work[offset];
        if (!made.empty() || table.empty()) return made;
        made.assign(table.size() * kPatterns, {0, kNoWait});
        std::size_t begin = 0;
        for (std::size_t n = 0; n < table.size(); n++) {
            std::size_t end = begin;
            while (end < columns.size() && columns[end] < kFour * static_cast<i64>(n + 1)) end++;
            for (int pattern = 0; pattern < kPatterns; pattern++) {
                LanesWork& some = made[n * kPatterns + pattern];
                for (std::size_t k = begin; k < end; k++) {
                    if (!(pattern >> (columns[k] % kFour) & 1)) continue;
                    const i64 start = std::max((offset + columns[k] * element_bytes) / kWordBytes, known[k]);
                    some.wait = std::max(some.wait, static_cast<i32>(start) - some.busy);
                    some.busy += static_cast<i32>(busy[k]);
                }
            }
            begin = end;
        }
        return made;
    }
};

} // namespace
