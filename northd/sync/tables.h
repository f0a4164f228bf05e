// Which tables of the databases the translation writes, and how rows that are there already are
// told: by a key that survives restarts.
#ifndef NORTHD_SYNC_TABLES_H_
#define NORTHD_SYNC_TABLES_H_

#include "northd/output/desired_rows.h"

namespace northd {

void DeclareSouthboundTables(DesiredRows* rows);
void DeclareNorthboundTables(DesiredRows* rows);

}  // namespace northd

#endif  // NORTHD_SYNC_TABLES_H_
