#include "ovsdb/mutation.h"

#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "ovsdb/error.h"

namespace ovsdb {
namespace {

using Mutator = Mutation::Mutator;

constexpr absl::string_view kNames[] = {"+=", "-=", "*=", "/=", "%=", "insert", "delete"};

absl::string_view Name(Mutator mutator) { return kNames[static_cast<size_t>(mutator)]; }

std::optional<Mutator> MutatorByName(absl::string_view name) {
  for (size_t i = 0; i < std::size(kNames); i++) {
    if (kNames[i] == name) return static_cast<Mutator>(i);
  }
  return std::nullopt;
}

bool IsArithmetic(Mutator mutator) { return mutator < Mutator::kInsert; }

bool IsApplicable(Mutator mutator, const ColumnType& type) {
  if (!IsArithmetic(mutator)) return !type.is_scalar();
  if (type.is_map()) return false;
  return type.key.type == AtomType::kInteger ||
         (type.key.type == AtomType::kReal && mutator != Mutator::kRemainder);
}

// A scalar of the type without constraints: what is calculated with.
const ColumnType& Operand(AtomType type) {
  static const ColumnType* const kInteger = new ColumnType{.key = {.type = AtomType::kInteger}};
  static const ColumnType* const kReal = new ColumnType{.key = {.type = AtomType::kReal}};
  return type == AtomType::kInteger ? *kInteger : *kReal;
}

// Pairs to delete from a map, or keys.
absl::StatusOr<Datum> ParseDeletion(const ColumnType& type, const Json& json,
                                    SymbolTable* symbols) {
  if (type.is_map()) {
    absl::StatusOr<Datum> pairs = type.ParseDatum(json, symbols, 0, ColumnType::kUnlimited);
    if (pairs.ok()) return pairs;
    const ColumnType keys{.key = type.key};
    return keys.ParseDatum(json, symbols, 0, ColumnType::kUnlimited);
  }
  return type.ParseDatum(json, symbols, 0, ColumnType::kUnlimited);
}

absl::StatusOr<Datum> ParseArgument(const ColumnType& type, Mutator mutator, const Json& json,
                                    SymbolTable* symbols) {
  if (IsArithmetic(mutator)) return Operand(type.key.type).ParseDatum(json, symbols);
  if (mutator == Mutator::kInsert) return type.ParseDatum(json, symbols, 0, type.n_max);
  return ParseDeletion(type, json, symbols);
}

absl::Status DivisionByZero() { return Error("domain error", "Division by zero."); }

absl::Status OutOfRange(Mutator mutator) {
  return Error("range error",
               absl::StrCat("Result of \"", Name(mutator), "\" operation is out of range."));
}

absl::StatusOr<Atom> CalculateInteger(Mutator mutator, int64_t a, int64_t b) {
  const bool divides = mutator == Mutator::kDivide || mutator == Mutator::kRemainder;
  if (divides && b == 0) return DivisionByZero();
  int64_t result = 0;
  bool overflows = false;
  switch (mutator) {
    case Mutator::kAdd:
      overflows = __builtin_add_overflow(a, b, &result);
      break;
    case Mutator::kSubtract:
      overflows = __builtin_sub_overflow(a, b, &result);
      break;
    case Mutator::kMultiply:
      overflows = __builtin_mul_overflow(a, b, &result);
      break;
    default:
      overflows = a == std::numeric_limits<int64_t>::min() && b == -1;
      if (!overflows) result = mutator == Mutator::kDivide ? a / b : a % b;
  }
  if (overflows) return OutOfRange(mutator);
  return Atom::Integer(result);
}

absl::StatusOr<Atom> CalculateReal(Mutator mutator, double a, double b) {
  double result = 0;
  switch (mutator) {
    case Mutator::kAdd:
      result = a + b;
      break;
    case Mutator::kSubtract:
      result = a - b;
      break;
    case Mutator::kMultiply:
      result = a * b;
      break;
    default:
      if (b == 0) return DivisionByZero();
      result = a / b;
  }
  if (!std::isfinite(result)) return OutOfRange(mutator);
  // What is smaller has no full precision, and is no number to those who read JSON: it would be
  // acknowledged, and the record with it could never be read again.
  if (std::abs(result) < std::numeric_limits<double>::min()) result = 0;
  return Atom::Real(result);
}

}  // namespace

absl::StatusOr<Mutation> Mutation::Parse(const TableSchema& table, const Json& json,
                                         SymbolTable* symbols) {
  if (!json.IsArray() || json.Size() != 3 || !json[0].IsString() || !json[1].IsString()) {
    return SyntaxError(json, "Parse error in mutation.");
  }

  const absl::string_view column_name = StringView(json[0]);
  const ColumnSchema* column = table.FindColumn(column_name);
  if (column == nullptr) {
    return ErrorAbout(json, "unknown column",
                      absl::StrCat("No column ", column_name, " in table ", table.name, "."));
  }
  if (!column->is_mutable) {
    return ErrorAbout(json, kConstraintViolation,
                      absl::StrCat("Cannot mutate immutable column ", column_name, " in table ",
                                   table.name, "."));
  }

  const absl::string_view mutator_name = StringView(json[1]);
  const std::optional<Mutator> mutator = MutatorByName(mutator_name);
  if (!mutator.has_value()) {
    return Error("unknown mutator", absl::StrCat("No mutator named ", mutator_name, "."));
  }
  if (!IsApplicable(*mutator, column->type)) {
    return SyntaxError(json, absl::StrCat("Type mismatch: \"", mutator_name,
                                          "\" operator may not be applied to column ", column_name,
                                          " of type ", column->type.ToText(), "."));
  }

  absl::StatusOr<Datum> argument = ParseArgument(column->type, *mutator, json[2], symbols);
  if (!argument.ok()) return std::move(argument).status();
  return Mutation(column, *mutator, *std::move(argument));
}

absl::StatusOr<Datum> Mutation::Calculate(const Datum& value) const {
  const ColumnType& type = column_->type;
  const Atom operand = argument_.key(0);
  absl::InlinedVector<Atom, 4> results;
  results.reserve(value.size());
  for (size_t i = 0; i < value.size(); i++) {
    const Atom atom = value.key(i);
    absl::StatusOr<Atom> result =
        type.key.type == AtomType::kInteger
            ? CalculateInteger(mutator_, atom.integer(), operand.integer())
            : CalculateReal(mutator_, atom.real(), operand.real());
    if (!result.ok()) return std::move(result).status();
    results.push_back(*result);
  }
  for (const Atom& result : results) {
    if (absl::Status status = type.key.Check(result); !status.ok()) return status;
  }
  bool had_duplicates = false;
  Datum datum = MakeDatum(results, {}, &had_duplicates);
  if (had_duplicates) {
    return Error(kConstraintViolation,
                 absl::StrCat("Result of \"", Name(mutator_), "\" operation contains duplicates."));
  }
  return datum;
}

absl::StatusOr<Datum> Mutation::Apply(const Datum& value) const {
  if (IsArithmetic(mutator_)) return Calculate(value);
  const ColumnType& type = column_->type;
  Datum result;
  if (mutator_ == Mutator::kInsert) {
    result = Union(value, argument_);
  } else if (type.is_map() && !argument_.is_map()) {
    result = SubtractKeys(value, argument_);
  } else {
    result = Subtract(value, argument_);
  }
  if (absl::Status status = type.CheckSize(result); !status.ok()) return status;
  return result;
}

}  // namespace ovsdb
