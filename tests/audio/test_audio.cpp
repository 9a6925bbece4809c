#include <catch2/catch.hpp>

#include "media/audio.h"
