// Values of columns as command lines and logs show them (ovs-vsctl(8) "Database Values").
#ifndef SERVER_TOOL_DATUM_TEXT_H_
#define SERVER_TOOL_DATUM_TEXT_H_

#include <string>

#include "ovsdb/datum.h"
#include "ovsdb/type.h"

namespace tool {

// Strings that could be taken for something else are quoted; a column of one element shows it bare.
void AppendDatumText(const ovsdb::ColumnType& type, const ovsdb::Datum& datum, std::string* out);

}  // namespace tool

#endif  // SERVER_TOOL_DATUM_TEXT_H_
