#include "ops/op_table.hpp"

namespace gradus::test {
namespace {

// One function, many equations: the first row counts as the op, the others as more of it.
Row einsum_row(const std::string& equation, std::vector<Case> cases) {
  return {
      .name = "einsum." + equation,
      .call = [equation](const Tensors& x, const Args&) { return einsum(equation, x); },
      .cases = std::move(cases),
      .bad_calls = {{[equation] { einsum(equation, {}); },
                     "einsum: '" + equation + "' names " +
                         std::to_string(1 + std::count(equation.begin(), equation.end(), ',')) + " operands, got 0"}}};
}

}  // namespace

std::vector<Row> einsum_rows() {
  std::vector<Row> rows = {{.name = "einsum",
                            .call = [](const Tensors& x, const Args&) { return einsum("ij,jk->ik", x); },
                            .cases = {{{normal({2, 3}), normal({3, 4})}},
                                      {{normal({3, 3}), normal({3, 3})}},
                                      {{normal({2, 0}), normal({0, 3})}}},
                            .bad_calls = {{[] {
                                             einsum("ij,jk->ik", {zeros({2, 3}), zeros({4, 5})});
                                           },
                                           "einsum: operand 1, (4, 5), has size 4 where another has 3"},
                                          {[] {
                                             einsum("ij->ik", {zeros({2, 3})});
                                           },
                                           "einsum: the result of 'ij->ik' names 'k', which no operand has"},
                                          {[] {
                                             einsum("ij->ii", {zeros({2, 3})});
                                           },
                                           "einsum: the result of 'ij->ii' names 'i' twice"},
                                          {[] {
                                             einsum("ijk->i", {zeros({2, 3})});
                                           },
                                           "einsum: 'ijk' does not name the dims of operand 0, (2, 3)"},
                                          {[] { einsum("i?->i", {zeros({2})}); },
                                           "einsum: 'i?' of 'i?->i' is neither a letter nor one '...'"},
                                          {[] {
                                             einsum("ii->i", {zeros({2, 3})});
                                           },
                                           "einsum: 'ii' names dims of different sizes of operand 0, (2, 3)"}}}};
  rows.push_back(einsum_row("ii", {{{normal({3, 3})}}}));
  rows.push_back(einsum_row("ii->i", {{{normal({3, 3})}}}));
  rows.push_back(einsum_row("ij->ji", {{{normal({2, 3})}}}));
  rows.push_back(einsum_row("ba", {{{normal({2, 3})}}}));
  rows.push_back(einsum_row("ij->", {{{normal({2, 3})}}}));
  rows.push_back(einsum_row("i,j->ij", {{{normal({2}), normal({3})}}}));
  rows.push_back(einsum_row("bi,bi->b", {{{normal({2, 3}), normal({2, 3})}}}));
  rows.push_back(einsum_row("bij,bjk->bik", {{{normal({2, 2, 3}), normal({2, 3, 2})}}}));
  rows.push_back(einsum_row("ij,kj", {{{normal({2, 3}), normal({4, 3})}}}));
  rows.push_back(einsum_row("ijk,il,jlm->km", {{{normal({2, 3, 2}), normal({2, 2}), normal({3, 2, 2})}}}));
  rows.push_back(einsum_row("bhqd,bhkd->bhqk", {{{normal({1, 2, 3, 2}), normal({1, 2, 2, 2})}}}));
  rows.push_back(einsum_row("...ij,...jk->...ik",
                            {{{normal({2, 2, 3}), normal({3, 2})}}, {{normal({2, 3}), normal({2, 1, 3, 2})}}}));
  rows.push_back(einsum_row("i...,i...", {{{normal({2, 3}), normal({2, 1})}}}));
  rows.push_back(einsum_row("iij,jk->ki", {{{normal({2, 2, 3}), normal({3, 2})}}}));
  return rows;
}

}  // namespace gradus::test
