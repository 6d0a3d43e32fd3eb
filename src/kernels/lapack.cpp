#include "kernels/lapack.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <type_traits>
#include <vector>

#include "kernels/blas.hpp"
#include "storage/format.hpp"

// Fortran: every argument is a pointer; the lengths of the character arguments follow at the end.
extern "C" {
void sgetrf_(const int* m, const int* n, float* a, const int* lda, int* pivots, int* info);
void dgetrf_(const int* m, const int* n, double* a, const int* lda, int* pivots, int* info);
void sgetrs_(const char* trans, const int* n, const int* nrhs, const float* a, const int* lda, const int* pivots,
             float* b, const int* ldb, int* info, std::size_t);
void dgetrs_(const char* trans, const int* n, const int* nrhs, const double* a, const int* lda, const int* pivots,
             double* b, const int* ldb, int* info, std::size_t);
void spotrf_(const char* uplo, const int* n, float* a, const int* lda, int* info, std::size_t);
void dpotrf_(const char* uplo, const int* n, double* a, const int* lda, int* info, std::size_t);
void sgeqrf_(const int* m, const int* n, float* a, const int* lda, float* tau, float* work, const int* lwork,
             int* info);
void dgeqrf_(const int* m, const int* n, double* a, const int* lda, double* tau, double* work, const int* lwork,
             int* info);
void sorgqr_(const int* m, const int* n, const int* k, float* a, const int* lda, const float* tau, float* work,
             const int* lwork, int* info);
void dorgqr_(const int* m, const int* n, const int* k, double* a, const int* lda, const double* tau, double* work,
             const int* lwork, int* info);
void ssyevd_(const char* jobz, const char* uplo, const int* n, float* a, const int* lda, float* w, float* work,
             const int* lwork, int* iwork, const int* liwork, int* info, std::size_t, std::size_t);
void dsyevd_(const char* jobz, const char* uplo, const int* n, double* a, const int* lda, double* w, double* work,
             const int* lwork, int* iwork, const int* liwork, int* info, std::size_t, std::size_t);
void sgesdd_(const char* jobz, const int* m, const int* n, float* a, const int* lda, float* s, float* u, const int* ldu,
             float* vt, const int* ldvt, float* work, const int* lwork, int* iwork, int* info, std::size_t);
void dgesdd_(const char* jobz, const int* m, const int* n, double* a, const int* lda, double* s, double* u,
             const int* ldu, double* vt, const int* ldvt, double* work, const int* lwork, int* iwork, int* info,
             std::size_t);
void sgelsd_(const int* m, const int* n, const int* nrhs, float* a, const int* lda, float* b, const int* ldb, float* s,
             const float* rcond, int* rank, float* work, const int* lwork, int* iwork, int* info);
void dgelsd_(const int* m, const int* n, const int* nrhs, double* a, const int* lda, double* b, const int* ldb,
             double* s, const double* rcond, int* rank, double* work, const int* lwork, int* iwork, int* info);
}

namespace gradus::kernels {
namespace {

template <class T, class Single, class Twice>
auto of(Single* single, Twice* twice) {
  if constexpr (std::is_same_v<T, float>)
    return single;
  else
    return twice;
}

int to_int(std::int64_t size) {
  if (size > std::numeric_limits<int>::max()) fail("linalg: a matrix dim of {} is more than LAPACK can count", size);
  return static_cast<int>(size);
}

// LAPACK refuses a leading dimension of 0.
int leading(std::int64_t rows) { return std::max(to_int(rows), 1); }

// LAPACK routines ask for scratch memory: a first call with the size -1 says how much.
template <class T, class Call>
int with_workspace(const Call& call) {
  T wanted{};
  const int info = call(&wanted, -1);
  if (info != 0) return info;
  // A large count is rounded in single precision, perhaps down.
  const auto count = static_cast<std::size_t>(static_cast<double>(wanted) * (1 + 1e-6)) + 1;
  std::vector<T> work(count);
  return call(work.data(), to_int(static_cast<std::int64_t>(count)));
}

}  // namespace

template <class T>
int lu(std::int64_t n, T* a, int* pivots) {
  choose_blas_threads(n * n * n / 3);
  const int size = to_int(n), ld = leading(n);
  int info = 0;
  of<T>(sgetrf_, dgetrf_)(&size, &size, a, &ld, pivots, &info);
  return info;
}

template <class T>
void lu_solve(std::int64_t n, std::int64_t columns, const T* a, const int* pivots, T* b) {
  choose_blas_threads(n * n * columns);
  const int size = to_int(n), count = to_int(columns), ld = leading(n);
  int info = 0;
  of<T>(sgetrs_, dgetrs_)("N", &size, &count, a, &ld, pivots, b, &ld, &info, 1);
}

template <class T>
int cholesky(std::int64_t n, T* a) {
  choose_blas_threads(n * n * n / 6);
  const int size = to_int(n), ld = leading(n);
  int info = 0;
  of<T>(spotrf_, dpotrf_)("L", &size, a, &ld, &info, 1);
  return info;
}

template <class T>
void orthonormal_columns(std::int64_t m, std::int64_t n, T* a) {
  choose_blas_threads(m * n * n);
  const int rows = to_int(m), cols = to_int(n), rank = std::min(rows, cols), ld = leading(m);
  std::vector<T> tau(static_cast<std::size_t>(rank));
  with_workspace<T>([&](T* work, int size) {
    int info = 0;
    of<T>(sgeqrf_, dgeqrf_)(&rows, &cols, a, &ld, tau.data(), work, &size, &info);
    return info;
  });
  with_workspace<T>([&](T* work, int size) {
    int info = 0;
    of<T>(sorgqr_, dorgqr_)(&rows, &rank, &rank, a, &ld, tau.data(), work, &size, &info);
    return info;
  });
}

template <class T>
int symmetric_eigen(std::int64_t n, bool vectors, T* a, T* values) {
  choose_blas_threads(4 * n * n * n);
  const int size = to_int(n), ld = leading(n);
  std::vector<int> integers(static_cast<std::size_t>(3 + 5 * n));
  const int integer_count = to_int(3 + 5 * n);
  return with_workspace<T>([&](T* work, int count) {
    int info = 0;
    of<T>(ssyevd_, dsyevd_)(vectors ? "V" : "N", "L", &size, a, &ld, values, work, &count, integers.data(),
                            &integer_count, &info, 1, 1);
    return info;
  });
}

template <class T>
int svd(std::int64_t m, std::int64_t n, SvdJob job, T* a, T* s, T* u, T* vh) {
  const std::int64_t k = std::min(m, n);
  choose_blas_threads(8 * m * n * k);
  const int rows = to_int(m), cols = to_int(n), ld = leading(m), ldvh = leading(job == SvdJob::all ? n : k);
  const char* const name = job == SvdJob::all ? "A" : job == SvdJob::thin ? "S" : "N";
  std::vector<int> integers(static_cast<std::size_t>(8 * k));
  return with_workspace<T>([&](T* work, int count) {
    int info = 0;
    of<T>(sgesdd_, dgesdd_)(name, &rows, &cols, a, &ld, s, u, &ld, vh, &ldvh, work, &count, integers.data(), &info, 1);
    return info;
  });
}

template <class T>
int least_squares(std::int64_t m, std::int64_t n, std::int64_t columns, T* a, T* b, T* s, T rcond, int* rank) {
  choose_blas_threads(4 * m * n * std::min(m, n));
  const int rows = to_int(m), cols = to_int(n), count = to_int(columns);
  const int ld = leading(m), ldb = leading(std::max(m, n));
  int integer_count = 0;
  int info = 0;
  T wanted{};
  const int query = -1;
  const auto gelsd = of<T>(sgelsd_, dgelsd_);
  gelsd(&rows, &cols, &count, a, &ld, b, &ldb, s, &rcond, rank, &wanted, &query, &integer_count, &info);
  std::vector<int> integers(static_cast<std::size_t>(std::max(integer_count, 1)));
  return with_workspace<T>([&](T* work, int size) {
    gelsd(&rows, &cols, &count, a, &ld, b, &ldb, s, &rcond, rank, work, &size, integers.data(), &info);
    return info;
  });
}

template int lu(std::int64_t, float*, int*);
template void lu_solve(std::int64_t, std::int64_t, const float*, const int*, float*);
template int cholesky(std::int64_t, float*);
template void orthonormal_columns(std::int64_t, std::int64_t, float*);
template int symmetric_eigen(std::int64_t, bool, float*, float*);
template int svd(std::int64_t, std::int64_t, SvdJob, float*, float*, float*, float*);
template int least_squares(std::int64_t, std::int64_t, std::int64_t, float*, float*, float*, float, int*);

template int lu(std::int64_t, double*, int*);
template void lu_solve(std::int64_t, std::int64_t, const double*, const int*, double*);
template int cholesky(std::int64_t, double*);
template void orthonormal_columns(std::int64_t, std::int64_t, double*);
template int symmetric_eigen(std::int64_t, bool, double*, double*);
template int svd(std::int64_t, std::int64_t, SvdJob, double*, double*, double*, double*);
template int least_squares(std::int64_t, std::int64_t, std::int64_t, double*, double*, double*, double, int*);

}  // namespace gradus::kernels
