// What the live activations of a mac cost: tables for each four of them, by which of the four are live.

#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include "eight_sums.hpp"
#include "records.hpp"

namespace {

constexpr i64 kFour = 4, kPatterns = 16;
constexpr int kFewCosts = 16, kCosts = 32; // room for three numbers and those of kFewBanks or kMaxBanks
constexpr int kFewBanks = 8;
constexpr i64 kCostFours = 15;             // fours whose costs, at most one a row, are added up in 16 bits
static_assert(kFour * kCostFours * kMaxRows < 1 << 16);

typedef std::uint16_t SixteenCosts __attribute__((vector_size(2 * kFewCosts)));

// What the live ones of four activations add to the lanes' work, and how long the latest of them makes the lanes wait.
struct LanesWork {
    i32 busy, wait;
};
constexpr i32 kNoWait = -(1 << 30);

// Which of four activations are live, a bit for each; then of 16.
inline unsigned live_of_four(const std::int8_t* x) {
    std::uint32_t w;
    std::memcpy(&w, x, sizeof w);
    const u64 live = (((w & 0x7f7f7f7f) + 0x7f7f7f7f) | w) & 0x80808080;
    return (live >> 7) * 0x01020408 >> 24 & 15;
}
inline unsigned live_of_four(const std::int16_t* x) {
    u64 w;
    std::memcpy(&w, x, sizeof w);
    const u64 live = (((w & 0x7fff7fff7fff7fff) + 0x7fff7fff7fff7fff) | w) & 0x8000800080008000;
    return (live >> 15) * 0x0001000200040008 >> 48 & 15;
}
inline unsigned live_of_four(const i32* x) {
    i32 w[kFour];
    std::memcpy(w, x, sizeof w);
    return (w[0] != 0) | (w[1] != 0) << 1 | (w[2] != 0) << 2 | (w[3] != 0) << 3;
}
template <class T> unsigned live_of_sixteen(const T* x) {
    return live_of_four(x) | live_of_four(x + 4) << 4 | live_of_four(x + 8) << 8 | live_of_four(x + 12) << 12;
}
#if defined(__SSE2__)
inline unsigned live_of_sixteen(const std::int8_t* x) {
    const __m128i zero = _mm_setzero_si128();
    return 0xffff ^ _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x)), zero));
}
inline unsigned live_of_sixteen(const std::int16_t* x) {
    const __m128i zero = _mm_setzero_si128(), *p = reinterpret_cast<const __m128i*>(x);
    const __m128i dead = _mm_packs_epi16(_mm_cmpeq_epi16(_mm_loadu_si128(p), zero), _mm_cmpeq_epi16(_mm_loadu_si128(p + 1), zero));
    return 0xffff ^ _mm_movemask_epi8(dead);
}
#endif

inline i64 ones_of(u64 bits) {
#if defined(__POPCNT__)
    return __builtin_popcountll(bits);
#else
    bits -= bits >> 1 & 0x5555555555555555;
    bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
    return static_cast<i64>(((bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f) * 0x0101010101010101 >> 56);
#endif
}
inline u64 sixty_four(const std::uint16_t* bits) {
    u64 x;
    std::memcpy(&x, bits, sizeof x);
    return x;
}

// Those of all activations, 16 in each, in whole numbers of 64 bits; how many are live.
constexpr i64 live_numbers(i64 length) { return (length + 63) / 64 * 4; }
template <class T> i64 live_bits(const char* from, i64 length, std::uint16_t* bits) {
    const auto* x = reinterpret_cast<const T*>(from);
    const i64 whole = length / 16, numbers = live_numbers(length);
    for (i64 n = 0; n < whole; n++) bits[n] = static_cast<std::uint16_t>(live_of_sixteen(x + 16 * n));
    for (i64 n = whole; n < numbers; n++) bits[n] = 0;
    if (length % 16) {
        T rest[16] = {};
        std::memcpy(rest, x + 16 * whole, length % 16 * sizeof(T));
        bits[whole] = static_cast<std::uint16_t>(live_of_sixteen(rest));
    }
    i64 live = 0;
    for (i64 n = 0; n < numbers; n += 4) live += ones_of(sixty_four(bits + n));
    return live;
}
inline i64 live_bits(const char* x, i64 length, i64 bits, std::uint16_t* live) {
    return bits == 8    ? live_bits<std::int8_t>(x, length, live)
           : bits == 16 ? live_bits<std::int16_t>(x, length, live)
                        : live_bits<i32>(x, length, live);
}
inline unsigned pattern_at(const std::uint16_t* live, i64 four) { return live[four / 4] >> (4 * (four % 4)) & 15; }

// Columns that cost the same, where there are few such kinds: how many of them are live is all that has to be counted.
struct ColumnKind {
    std::vector<std::uint16_t> columns; // a bit for each, as live activations
    std::vector<i32> cost;              // as many as a table has
};

constexpr std::size_t kMostKinds = 4;

struct MatrixCosts {
    i64 fours = 0;                             // four columns each, of all repetitions
    std::vector<ColumnKind> kinds;             // none: tables
    i64 group_busy = 0;                        // cycles of a group, if no column waits for the mask longer than for its word; or 0
    std::vector<std::uint16_t> working;        // a bit for each column that has work
    int width = 0;                             // kFewCosts or kCosts
    std::vector<std::uint32_t> table;          // of each four columns
    std::vector<std::uint16_t> sums;           // tables x patterns x width
    i64 total[kCosts] = {}, mask_banks[kMaxBanks] = {}; // see DecodedWeights
    std::vector<i64> columns, busy, known;     // see MatrixPipeline
    std::vector<LanesWork> work[kWordBytes];   // fours x patterns, by the place of the first activation in its word
    i64 element_bytes = 1, mask_steps = 0;
    // Where activations do not move and all are live: cycles and counts of an execution; how many are not counted yet.
    i64 taken_all = 0, times_all = 0;
    Counts all{};
    i64 scan[kMaxBanks] = {}; // words of the activations in each bank, where they do not move
    bool meet = false;        // their first word is in the same bank as that of the mask

    // ``cost``: columns x numbers, of all repetitions alike.
    void set_costs(const i64* cost, i64 all_columns, i64 repeat, i64 numbers) {
        width = numbers <= 3 + kFewBanks ? kFewCosts : kCosts;
        fours = (all_columns * repeat + kFour - 1) / kFour;
        for (auto& kind : work) kind.clear();
        std::fill(full_end, full_end + kWordBytes, -1);
        table.clear();
        sums.clear();
        set_kinds(cost, all_columns, repeat, numbers);
        if (kinds.empty()) set_tables(cost, all_columns, repeat, numbers);
    }

    // Of the columns that have work for the lanes. ``cost``: as of ``set_costs``.
    void set_work(const i64* numbers_of, const i64* cycles, const i64* from, i64 count, const i64* cost, i64 all_columns,
                  i64 repeat, i64 numbers) {
        columns.assign(numbers_of, numbers_of + count);
        busy.assign(cycles, cycles + count);
        known.assign(from, from + count);
        working.assign(live_numbers(all_columns * repeat), 0);
        const auto groups_of = [&](i64 k) { return cost[columns[k] % all_columns * numbers]; };
        group_busy = count && groups_of(0) ? busy[0] / groups_of(0) : 0;
        for (i64 k = 0; k < count; k++) {
            working[columns[k] / 16] = static_cast<std::uint16_t>(working[columns[k] / 16] | 1 << columns[k] % 16);
            if (busy[k] != group_busy * groups_of(k) || known[k] > columns[k] * element_bytes / kWordBytes) group_busy = 0;
        }
        if (!every_word_lives(working.data(), all_columns * repeat)) group_busy = 0;
    }

    // to: ``width`` sums over the live columns.
    void add_up(const std::uint16_t* live, i64* to) const {
        if (!kinds.empty()) width == kFewCosts ? add_kinds<kFewCosts>(live, to) : add_kinds<kCosts>(live, to);
        else if (width == kFewCosts) add_up<1>(live, to);
        else add_up<2>(live, to);
    }
    template <int VECTORS> void add_up(const std::uint16_t* live, i64* to) const {
        for (i64 first = 0; first < fours; first += kCostFours) {
            SixteenCosts all[VECTORS] = {};
            for (i64 n = first; n < std::min(fours, first + kCostFours); n++)
                for (int v = 0; v < VECTORS; v++) {
                    SixteenCosts some;
                    std::memcpy(&some, &sums[((table[n] * kPatterns + pattern_at(live, n)) * VECTORS + v) * kFewCosts], sizeof some);
                    all[v] += some;
                }
            std::uint16_t some[VECTORS * kFewCosts];
            std::memcpy(some, all, sizeof some);
            for (int f = 0; f < VECTORS * kFewCosts; f++) to[f] = (first ? to[f] : 0) + some[f];
        }
    }

    // The last end of work that is done in order: all of it, and the longest wait for the start of a piece.
    // ``groups``: of the ``count`` live ones of ``length`` activations.
    i64 end_of_lanes(const std::uint16_t* live, i64 address, i64 groups, i64 count, i64 length) {
        const i64 offset = address % kWordBytes;
        if (count < length && group_busy && !offset && every_word_lives(live, length)) return group_busy * groups;
        if (count < length) return end_at(live, offset);
        if (full_end[offset] < 0) full_end[offset] = end_at(nullptr, offset);
        return full_end[offset];
    }

    // Counts an execution with these costs; its cycles. ``scanned``: of activations, words in each bank.
    i64 tell(Counts& k, const i64* cost, i64 live, i64 banks, i64 lanes_end, const i64* scanned, i64 scan_words, i64 start) const {
        const BankWords busy = banks <= kFewBanks ? read_banks<kFewBanks>(k, cost, scanned) : read_banks<kMaxBanks>(k, cost, scanned);
        const i64 taken = start + std::max(std::max(lanes_end, scan_words), std::max(mask_steps, busy.most));
        k.cycles += taken;
        k.dm_read += busy.words;
        k.live += live;
        k.stored += total[2];
        k.groups += cost[0];
        k.units += cost[1];
        k.products += cost[2];
        return taken;
    }

    void tell_all(Counts& k) {
        auto* to = reinterpret_cast<i64*>(&k);
        const auto* one = reinterpret_cast<const i64*>(&all);
        for (std::size_t n = 0; n < sizeof(Counts) / sizeof(i64); n++) to[n] += times_all * one[n];
        times_all = 0;
    }

  private:
    void set_tables(const i64* cost, i64 all_columns, i64 repeat, i64 numbers) {
        std::unordered_map<std::string, std::uint32_t> known_tables;
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
    }
    void set_kinds(const i64* cost, i64 all_columns, i64 repeat, i64 numbers) {
        kinds.clear();
        // One takes about as long as the tables of four fours.
        const auto most = std::min<std::size_t>(kMostKinds, static_cast<std::size_t>(all_columns * repeat / (4 * kFour)));
        if (all_columns * repeat >= (i64{1} << 31) / kMaxRows) return; // their sums are taken in 32 bits
        for (i64 column = 0; column < all_columns * repeat; column++) {
            const i64* mine = cost + column % all_columns * numbers;
            const auto same = [&](const ColumnKind& kind) { return std::equal(mine, mine + numbers, kind.cost.begin()); };
            auto kind = std::find_if(kinds.begin(), kinds.end(), same);
            if (kind == kinds.end()) {
                if (kinds.size() >= most) {
                    kinds.clear();
                    return;
                }
                kinds.emplace_back();
                kind = kinds.end() - 1;
                kind->columns.resize(live_numbers(all_columns * repeat));
                kind->cost.resize(width);
                std::copy(mine, mine + numbers, kind->cost.begin());
            }
            kind->columns[column / 16] = static_cast<std::uint16_t>(kind->columns[column / 16] | 1 << column % 16);
        }
    }
    template <int WIDTH> void add_kinds(const std::uint16_t* live, i64* to) const {
        i32 sums[WIDTH] = {};
        for (const auto& kind : kinds) {
            i32 count = 0;
            for (std::size_t n = 0; n < kind.columns.size(); n += 4)
                count += static_cast<i32>(ones_of(sixty_four(&kind.columns[n]) & sixty_four(live + n)));
            for (int f = 0; f < WIDTH; f++) sums[f] += count * kind.cost[f];
        }
        for (int f = 0; f < WIDTH; f++) to[f] = sums[f];
    }

    // Whether each word of activations, but the last, has a live one with work: then the lanes never wait for the scanner.
    bool every_word_lives(const std::uint16_t* live, i64 length) const {
        const int each = static_cast<int>(kWordBytes / element_bytes); // bits: 8, 4 or 2
        const u64 lowest = ~u64{0} / ((u64{1} << each) - 1);
        const i64 whole = length / each * each; // the rest of it is a word that nothing waits for
        for (i64 first = 0; first < whole; first += 64) {
            u64 bits = sixty_four(live + first / 16) & sixty_four(&working[first / 16]);
            if (whole - first < 64) bits |= ~u64{0} << (whole - first);
            if ((bits - lowest) & ~bits & lowest << (each - 1)) return false;
        }
        return true;
    }

    // Words that weights and mask take from all banks, and those that the busiest bank gives, activations included.
    struct BankWords {
        i64 words, most;
    };
    // Numbers of banks that the part lacks are zero.
    template <int BANKS> BankWords read_banks(Counts& k, const i64* cost, const i64* scanned) const {
        BankWords found{0, 0};
        for (int bank = 0; bank < BANKS; bank++) {
            const i64 reads = cost[3 + bank] + mask_banks[bank];
            found.words += reads;
            found.most = std::max(found.most, reads + scanned[bank]);
            k.reads[bank] += reads;
        }
        return found;
    }

    i64 full_end[kWordBytes]; // where all activations are live; -1: not known yet

    i64 end_at(const std::uint16_t* live, i64 offset) {
        const auto& mine = work_at(offset);
        const LanesWork* four = mine.data();
        i32 done = 0, wait = 0;
        for (i64 n = 0; n < fours; n++, four += kPatterns) {
            const LanesWork some = four[live ? pattern_at(live, n) : kPatterns - 1];
            wait = std::max(wait, some.wait - done);
            done += some.busy;
        }
        return i64{done} + wait;
    }
    const std::vector<LanesWork>& work_at(i64 offset) {
        auto& made = work[offset];
        if (!made.empty()) return made;
        made.assign(fours * kPatterns, {0, kNoWait});
        std::size_t begin = 0;
        for (i64 n = 0; n < fours; n++) {
            std::size_t end = begin;
            while (end < columns.size() && columns[end] < kFour * (n + 1)) end++;
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
