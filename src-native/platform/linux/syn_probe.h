#pragma once

#include <vector>

#include "core/steering.h"

namespace reuseport {

// LearnSlots() where no socket can be bound to the port of the group. Unlike the other probe it makes members count
// drops: about six at each listener sought, and one or two at each other member.
Result<std::vector<int>> LearnBySyns(const Sys& sys, const SlotProbe& probe);

}  // namespace reuseport
