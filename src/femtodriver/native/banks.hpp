// Which banks of data memory a stream of elements needs, and how many cycles that takes.

#pragma once

#include <algorithm>
#include <vector>

#include "core.hpp"

namespace {

struct Banks {
    i64 lanes, banks, bank_words, table_ports;
    std::vector<i64> edges;

    i64 bank_of(i64 word) const { return 2 * (word / (2 * bank_words)) + word % 2; }

    void accesses(i64 first_word, i64 end_word, i64* counts) const {
        const i64 pair_words = 2 * bank_words;
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
        return *std::max_element(counts, counts + banks);
    }

    i64 steps(const Step& r, i64 count) const {
        const i64 rows = (count + lanes - 1) / lanes;
        if (r.kind == kVector || r.kind == kAccumulate) return rows * r.lane_passes;
        const i64 reads = (count + r.copies - 1) / r.copies * r.tables;
        return std::max(rows, (reads + table_ports - 1) / table_ports);
    }

    // Cycles of a stream whose operands move: isa/cycles.py ``stream`` with machine/bank_load.py ``bank_load``.
    i64 moving_cycles(const Core& c, const Step& r) {
        const i64 length = r.dst.length;
        Placed streams[3];
        int sources = 0;
        for (const Place* o : {&r.a, &r.b})
            if (o->in_memory()) streams[sources++] = {c.address(*o), o->length, o->size()};
        int all = sources;
        if (r.dst.in_memory()) streams[all++] = {c.address(r.dst), r.dst.length, r.dst.size()};
        edges.assign({0, length});
        const i64 pair = 2 * bank_words * kWordBytes;
        for (int k = 0; k < all; k++) {
            const i64 end = streams[k].address + streams[k].length * streams[k].size;
            for (i64 boundary = (streams[k].address / pair + 1) * pair; boundary < end; boundary += pair)
                edges.push_back((boundary - streams[k].address) / streams[k].size / lanes * lanes);
        }
        std::sort(edges.begin(), edges.end());
        edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
        const i64 first_reads = std::max<i64>(busiest(streams, sources, 0, std::min(length, lanes)), 1);
        const i64 second_reads = busiest(streams, sources, 0, std::min(length, 2 * lanes));
        const i64 last_row = (length - 1) / lanes * lanes;
        const int ends = all - sources;
        const i64 last_writes = std::max<i64>(
            {busiest(streams + sources, ends, std::max<i64>(last_row - lanes, 0), last_row),
             busiest(streams + sources, ends, last_row, length), 1});
        const i64 a_row = steps(r, std::min(lanes, length));
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
};

} // namespace
