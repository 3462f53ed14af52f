#include "server/store/crc32c.h"

#include <gtest/gtest.h>

#include <boost/crc.hpp>
#include <string>

namespace posteriord::server {
namespace {

std::uint32_t Reference(const std::string& bytes) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

TEST(Crc32cTest, CheckValueOfTheStandard) { EXPECT_EQ(Crc32c("123456789"), 0xE3069283u); }

TEST(Crc32cTest, AgreesWithAnotherImplementationAtEveryLengthAndAlignment) {
  std::string bytes;
  for (int i = 0; i < 5000; ++i) bytes.push_back(static_cast<char>(i * 7919 >> 3));
  for (std::size_t size = 0; size < 300; ++size) {
    for (std::size_t start = 0; start < 9; ++start) {
      EXPECT_EQ(Crc32c(std::string_view(bytes).substr(start, size)),
                Reference(bytes.substr(start, size)));
    }
  }
  EXPECT_EQ(Crc32c(bytes), Reference(bytes));
}

TEST(Crc32cTest, PiecesGiveTheChecksumOfTheWhole) {
  const std::string bytes = "a checksum of bytes in two pieces";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    EXPECT_EQ(Crc32c(bytes.substr(cut), Crc32c(bytes.substr(0, cut))), Crc32c(bytes));
  }
}

}  // namespace
}  // namespace posteriord::server
