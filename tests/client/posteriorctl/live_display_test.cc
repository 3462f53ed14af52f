#include "client/posteriorctl/live_display.h"

#include <gtest/gtest.h>

#include <sstream>

namespace posteriord::client {
namespace {

TEST(LiveDisplayTest, AFrameIsDrawnOverTheOneBefore) {
  std::ostringstream terminal;
  LiveDisplay display(terminal);
  display.Show({"one", "two"});
  EXPECT_EQ(terminal.str(), "\x1b[?7lone\x1b[K\ntwo\x1b[K\n\x1b[J\x1b[?7h");
  terminal.str("");
  display.Show({"three"});
  EXPECT_EQ(terminal.str(), "\x1b[?7l\r\x1b[2Athree\x1b[K\n\x1b[J\x1b[?7h");
  terminal.str("");
  display.Clear();
  EXPECT_EQ(terminal.str(), "\x1b[?7l\r\x1b[1A\x1b[J\x1b[?7h");
}

}  // namespace
}  // namespace posteriord::client
