#include <cstdlib>
#include <string>

#include "gradus/error.hpp"
#include "kernels/kernels.hpp"
#include "kernels/optim.hpp"

namespace gradus::kernels {

// GRADUS_X86_KERNELS: the widest vectors that were built, in bits.
#if GRADUS_X86_KERNELS >= 512
#define GRADUS_ISAS(X) X(avx512) X(avx2) X(sse2)  // best first
#elif GRADUS_X86_KERNELS
#define GRADUS_ISAS(X) X(avx2) X(sse2)
#else
#define GRADUS_ISAS(X) X(generic)
#endif

// Defined in simd/table.cpp and simd/optim.cpp, once per instruction set.
#define GRADUS_DECLARE(isa)  \
  namespace isa {            \
  template <class T>         \
  void fill(Table<T>&);      \
  template <class T>         \
  void fill(OptimTable<T>&); \
  }
GRADUS_ISAS(GRADUS_DECLARE)
#undef GRADUS_DECLARE

namespace {

enum class Isa {
#define GRADUS_NAME(isa) isa,
  GRADUS_ISAS(GRADUS_NAME)
#undef GRADUS_NAME
};

struct Named {
  Isa isa;
  std::string_view name;
};

constexpr Named known[] = {
#define GRADUS_NAME(isa) {Isa::isa, #isa},
    GRADUS_ISAS(GRADUS_NAME)
#undef GRADUS_NAME
};

bool supported(Isa isa) {
#if GRADUS_X86_KERNELS
  __builtin_cpu_init();
  switch (isa) {
#if GRADUS_X86_KERNELS >= 512
    case Isa::avx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
#endif
    case Isa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Isa::sse2:
      return true;
  }
#endif
  return isa == Isa{known[std::size(known) - 1].isa};
}

Isa best_supported() {
  for (const Named& candidate : known)
    if (supported(candidate.isa)) return candidate.isa;
  throw Error("kernels: this processor has none of the instruction sets that were built");
}

// The best one, or the lesser one that the environment asks for.
Isa choose() {
  const Isa best = best_supported();
  const char* wish = std::getenv("GRADUS_ISA");
  if (wish == nullptr || *wish == '\0') return best;
  std::string names;
  for (const Named& candidate : known) {
    if (candidate.name == wish) return candidate.isa > best ? candidate.isa : best;
    names += (names.empty() ? "" : ", ") + std::string(candidate.name);
  }
  throw Error("GRADUS_ISA: unknown instruction set '" + std::string(wish) + "' (known: " + names + ")");
}

Isa chosen() {
  static const Isa isa = choose();
  return isa;
}

template <class Kernels>
const Kernels& filled(Isa isa) {
  switch (isa) {
#define GRADUS_CASE(name)             \
  case Isa::name: {                   \
    static const Kernels table = [] { \
      Kernels t{};                    \
      name::fill(t);                  \
      return t;                       \
    }();                              \
    return table;                     \
  }
    GRADUS_ISAS(GRADUS_CASE)
#undef GRADUS_CASE
  }
  __builtin_unreachable();
}

template <class Kernels>
const Kernels& best() {
  static const Kernels& table = filled<Kernels>(chosen());
  return table;
}

template <class Kernels>
const Kernels* named(std::string_view name) {
  for (const Named& candidate : known)
    if (candidate.name == name && supported(candidate.isa)) return &filled<Kernels>(candidate.isa);
  return nullptr;
}

}  // namespace

template <class T>
const Table<T>& table() {
  return best<Table<T>>();
}

template <class T>
const Table<T>* table_for(std::string_view name) {
  return named<Table<T>>(name);
}

template <class T>
const OptimTable<T>& optim_table() {
  return best<OptimTable<T>>();
}

template <class T>
const OptimTable<T>* optim_table_for(std::string_view name) {
  return named<OptimTable<T>>(name);
}

std::string_view isa() {
  for (const Named& candidate : known)
    if (candidate.isa == chosen()) return candidate.name;
  return "generic";
}

template const Table<float>& table();
template const Table<double>& table();
template const Table<std::int64_t>& table();
template const Table<float>* table_for(std::string_view);
template const Table<double>* table_for(std::string_view);
template const Table<std::int64_t>* table_for(std::string_view);
template const OptimTable<float>& optim_table();
template const OptimTable<double>& optim_table();
template const OptimTable<float>* optim_table_for(std::string_view);
template const OptimTable<double>* optim_table_for(std::string_view);

}  // namespace gradus::kernels
