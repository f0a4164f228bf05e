// The whole translation: which units there are for what the northbound has.
#ifndef NORTHD_TRANSLATION_H_
#define NORTHD_TRANSLATION_H_

#include "northd/world.h"

namespace northd {

// Adds the root of all units. Once.
void StartTranslation(World* world);

}  // namespace northd

#endif  // NORTHD_TRANSLATION_H_
