// The kernels against plain loops, on random numbers, without Python: for processors that this machine only emulates.

#include <cstdio>
#include <random>
#include <vector>

#include "matrices.hpp"

namespace {

std::mt19937_64 numbers(1);

i64 below(i64 end) { return static_cast<i64>(numbers() % static_cast<u64>(end)); }
i64 of_bits(int bits) { return below(i64{1} << bits) - (i64{1} << (bits - 1)); }

// Products of all kinds: dense and sparse, 8 and 16 bits, odd sizes; and which activations are live.
bool product_is_right(int round) {
    const i64 columns = 1 + below(70), rows = 1 + below(150), padded = (rows + kLanes - 1) / kLanes * kLanes;
    const int bits = round % 2 ? 8 : 16, weight_bits = round % 3 ? 8 : 16;
    const bool fresh = below(2), few = below(2);
    const i64 kept = 1 + below(4);
    std::vector<i64> w(columns * rows), x(columns), acc(padded), wanted;
    std::vector<std::int16_t> halves(columns);
    std::vector<std::int8_t> bytes(columns);
    for (auto& weight : w) weight = below(4) < kept ? of_bits(weight_bits) : 0;
    for (i64 j = 0; j < columns; j++) {
        x[j] = below(3) ? of_bits(bits) : 0;
        halves[j] = static_cast<std::int16_t>(x[j]);
        bytes[j] = static_cast<std::int8_t>(x[j]);
    }
    for (auto& sum : acc) sum = static_cast<i64>(numbers());
    wanted = fresh ? std::vector<i64>(padded) : acc;
    for (i64 j = 0; j < columns; j++)
        for (i64 row = 0; row < rows; row++) wanted[row] = wrapping_add(wanted[row], w[j * rows + row] * x[j]);
    const void* from = bits == 8 ? static_cast<const void*>(bytes.data()) : halves.data();
    Matrix m;
    pack(m, w.data(), columns, rows, bits, true);
    const auto before = acc;
    multiply(m, from, bits, columns, rows, acc.data(), fresh, few);
    bool right = acc == wanted;
    if (has_dots() && m.bytes && !m.wide && m.segment.size() == 2) { // whether or not they pay
        pack_quads(m.quads, w.data(), columns, rows, bits);
        acc = before;
        multiply(m, from, bits, columns, rows, acc.data(), fresh, false);
        right &= acc == wanted;
    }
    m.quads = Quads{};
    acc = before;
    multiply(m, from, bits, columns, rows, acc.data(), fresh, few);
    std::uint16_t live[8];
    i64 count = live_bits(static_cast<const char*>(from), columns, bits, live);
    right &= acc == wanted;
    for (i64 j = 0; j < columns; j++) {
        right &= (live[j / 16] >> (j % 16) & 1) == (x[j] != 0);
        count -= x[j] != 0;
    }
    return right && count == 0;
}

// What live activations cost and when the lanes have done their work: few kinds of columns and many, with and without waits.
bool costs_are_right(int round) {
    const i64 columns = 1 + below(200), kinds = 1 + below(40), bytes = i64{1} << below(3), numbers_each = 7;
    const bool sparse = round % 4 == 0, waits = round % 3 == 0;
    const i64 offset = round % 5 ? 0 : below(kWordBytes / bytes) * bytes;
    std::vector<i64> cost, numbers_of, busy, known;
    for (i64 column = 0; column < columns; column++) {
        const i64 kind = below(kinds);
        for (i64 f = 0; f < numbers_each; f++) cost.push_back((1 + kind * 37 + f * 11) % kMaxRows);
        const i64 groups = cost[column * numbers_each];
        if (sparse && !below(3)) continue;
        numbers_of.push_back(column);
        busy.push_back(sparse ? 1 + below(9) : 3 * groups);
        known.push_back(waits ? below(20) : column * bytes / kWordBytes - below(2));
    }
    MatrixCosts costs;
    costs.element_bytes = bytes;
    costs.set_costs(cost.data(), columns, 1, numbers_each);
    costs.set_work(numbers_of.data(), busy.data(), known.data(), static_cast<i64>(busy.size()), cost.data(), columns, 1, numbers_each);
    std::uint16_t live[16] = {};
    const i64 often = below(31), late = below(2) ? 0 : below(columns);
    i64 wanted[numbers_each] = {}, count = 0;
    for (i64 column = late; column < columns; column++) {
        if (below(30) >= often) continue;
        live[column / 16] = static_cast<std::uint16_t>(live[column / 16] | 1 << column % 16);
        count++;
        for (i64 f = 0; f < numbers_each; f++) wanted[f] += cost[column * numbers_each + f];
    }
    i64 end = 0;
    for (std::size_t k = 0; k < busy.size(); k++) {
        if (!(live[numbers_of[k] / 16] >> (numbers_of[k] % 16) & 1)) continue;
        const i64 start = std::max({(offset + numbers_of[k] * bytes) / kWordBytes, known[k], end});
        end = start + busy[k];
    }
    i64 sums[kCosts];
    costs.add_up(live, sums);
    return std::equal(wanted, wanted + numbers_each, sums) && costs.end_of_lanes(live, offset, sums[0], count, columns) == end;
}

// Vectors in 32 bits against those in 64.
bool vector_is_right(int round) {
    constexpr i64 most = 96;
    Row r{};
    r.op = below(kXor + 1);
    if (round % 3 == 0) {
        r.shift_a = -below(5);
        r.shift_b = below(3);
    }
    r.shift = below(9) - 6;
    r.rounded = below(2);
    r.clip = below(4);
    r.low = -2048;
    r.high = 2047;
    r.mask = 4095;
    const i64 n = 1 + below(70);
    const auto stages = stages_of<i32>(r);
    const auto whole_stages = stages_of<i64>(r);
    i32 a[most], b[most];
    i64 whole_a[most], whole_b[most];
    for (i64 i = 0; i < most; i++) {
        whole_a[i] = a[i] = static_cast<i32>(of_bits(13));
        whole_b[i] = b[i] = static_cast<i32>(of_bits(13));
    }
    bool right = compute_of(r.op, stages)(a, b, n, stages) == compute_of(r.op, whole_stages)(whole_a, whole_b, n, whole_stages);
    std::int16_t stored[most] = {}, whole_stored[most] = {};
    store<std::int16_t, i32>(stored, n, a);
    store<std::int16_t, i64>(whole_stored, n, whole_a);
    for (i64 i = 0; i < most; i++) right &= stored[i] == whole_stored[i] && (i >= n || a[i] == whole_a[i]);
    return right;
}

} // namespace

int main() {
    for (int round = 0; round < 400; round++)
        if (!product_is_right(round)) return std::printf("product %d is wrong\n", round), 1;
    for (int round = 0; round < 3000; round++)
        if (!costs_are_right(round)) return std::printf("costs %d are wrong\n", round), 1;
    for (int round = 0; round < 3000; round++)
        if (!vector_is_right(round)) return std::printf("vector %d is wrong\n", round), 1;
    std::printf("all equal\n");
}
