// The version of Gradus.
#include "runtime/gradus.hpp"

namespace gradus {

const char* version() { return GRADUS_VERSION; }

}  // namespace gradus
