#include "ovsdb/condition.h"

#include <algorithm>
#include <compare>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "ovsdb/error.h"

namespace ovsdb {
namespace {

using Function = Clause::Function;

std::optional<Function> FunctionByName(absl::string_view name) {
  if (name == "==") return Function::kEqual;
  if (name == "!=") return Function::kNotEqual;
  if (name == "<") return Function::kLess;
  if (name == "<=") return Function::kLessOrEqual;
  if (name == ">") return Function::kGreater;
  if (name == ">=") return Function::kGreaterOrEqual;
  if (name == "includes") return Function::kIncludes;
  if (name == "excludes") return Function::kExcludes;
  return std::nullopt;
}

bool IsOrder(Function function) {
  return function >= Function::kLess && function <= Function::kGreaterOrEqual;
}

bool IsOrdered(const ColumnType& type) {
  return !type.is_map() && type.n_max == 1 &&
         (type.key.type == AtomType::kInteger || type.key.type == AtomType::kReal);
}

bool HoldsFor(Function function, std::strong_ordering order) {
  switch (function) {
    case Function::kLess:
      return std::is_lt(order);
    case Function::kLessOrEqual:
      return std::is_lteq(order);
    case Function::kGreater:
      return std::is_gt(order);
    default:
      return std::is_gteq(order);
  }
}

absl::StatusOr<Datum> ParseArgument(const ColumnType& type, Function function, const Json& json,
                                    SymbolTable* symbols) {
  switch (function) {
    case Function::kIncludes:
      return type.ParseDatum(json, symbols, type.is_scalar() ? 1 : 0, type.n_max);
    case Function::kExcludes:
      if (type.is_scalar()) return type.ParseDatum(json, symbols);
      return type.ParseDatum(json, symbols, 0, ColumnType::kUnlimited);
    case Function::kEqual:
    case Function::kNotEqual:
      return type.ParseDatum(json, symbols);
    default:
      return type.ParseDatum(json, symbols, 1, 1);
  }
}

}  // namespace

absl::StatusOr<Clause> Clause::Parse(const TableSchema& table, const Json& json,
                                     SymbolTable* symbols) {
  if (json.IsBool()) return Clause(json.GetBool());
  if (!json.IsArray() || json.Size() != 3 || !json[0].IsString() || !json[1].IsString()) {
    return SyntaxError(json, "Parse error in condition.");
  }

  const absl::string_view column_name = StringView(json[0]);
  const ColumnSchema* column = table.FindColumn(column_name);
  if (column == nullptr) {
    return ErrorAbout(json, "unknown column",
                      absl::StrCat("No column ", column_name, " in table ", table.name, "."));
  }

  const absl::string_view function_name = StringView(json[1]);
  const std::optional<Function> function = FunctionByName(function_name);
  if (!function.has_value()) {
    return Error("unknown function", absl::StrCat("No function named ", function_name, "."));
  }
  if (IsOrder(*function) && !IsOrdered(column->type)) {
    return SyntaxError(json, absl::StrCat("Type mismatch: \"", function_name,
                                          "\" operator may not be applied to column ", column_name,
                                          " of type ", column->type.ToText(), "."));
  }

  absl::StatusOr<Datum> argument = ParseArgument(column->type, *function, json[2], symbols);
  if (!argument.ok()) return std::move(argument).status();
  Clause clause;
  clause.function_ = *function;
  clause.column_ = column->index;
  clause.argument_ = *std::move(argument);
  clause.Simplify(column->type);
  return clause;
}

void Clause::Simplify(const ColumnType& type) {
  const bool is_containment = function_ == Function::kIncludes || function_ == Function::kExcludes;
  if (!is_containment) return;
  if (argument_.empty()) {
    *this = Clause(true);
  } else if (type.n_max == 1 && argument_.size() == 1) {
    function_ = function_ == Function::kIncludes ? Function::kEqual : Function::kNotEqual;
  }
}

bool Clause::Matches(const Row& row) const {
  if (is_constant()) return function_ == Function::kTrue;
  switch (column_) {
    case TableSchema::kUuidColumn:
      return MatchesAtom(Atom::Of(row.uuid()));
    case TableSchema::kVersionColumn:
      return MatchesAtom(Atom::Of(row.version()));
    default:
      return MatchesDatum(row.datum(column_));
  }
}

// Of a scalar that is no number: without making a Datum of it.
bool Clause::MatchesAtom(const Atom& atom) const {
  const bool equal = argument_.key(0) == atom;
  return equal == (function_ == Function::kEqual);
}

bool Clause::MatchesDatum(const Datum& datum) const {
  switch (function_) {
    case Function::kEqual:
      return datum == argument_;
    case Function::kNotEqual:
      return !(datum == argument_);
    case Function::kIncludes:
      return Includes(datum, argument_);
    case Function::kExcludes:
      return Excludes(datum, argument_);
    default:
      return !datum.empty() && HoldsFor(function_, datum.key(0).Compare(argument_.key(0)));
  }
}

absl::StatusOr<Condition> Condition::Parse(const TableSchema& table, const Json& json,
                                           SymbolTable* symbols) {
  Condition condition;
  for (const Json& element : json.GetArray()) {
    absl::StatusOr<Clause> clause = Clause::Parse(table, element, symbols);
    if (!clause.ok()) return std::move(clause).status();
    condition.clauses_.push_back(*std::move(clause));
  }
  return condition;
}

bool Condition::MatchesAll(const Row& row) const {
  return std::all_of(clauses_.begin(), clauses_.end(),
                     [&row](const Clause& clause) { return clause.Matches(row); });
}

bool Condition::MatchesAny(const Row& row) const {
  return clauses_.empty() ||
         std::any_of(clauses_.begin(), clauses_.end(),
                     [&row](const Clause& clause) { return clause.Matches(row); });
}

bool Condition::always_matches_any() const {
  return clauses_.empty() ||
         std::any_of(clauses_.begin(), clauses_.end(),
                     [](const Clause& clause) { return clause.function() == Function::kTrue; });
}

}  // namespace ovsdb
