#include "server/data/table_file.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/store/byte_codec.h"
#include "server/store/crc32c.h"

namespace posteriord::server {
namespace {

constexpr std::string_view kMagic = "PSTRDATA";
constexpr std::uint32_t kVersion = 1;
constexpr std::int64_t kHeaderBytes = 48;
constexpr std::int64_t kCrcBytes = sizeof(std::uint32_t);
constexpr std::int64_t kGroupBytes = 4 << 20;  // about
constexpr std::int64_t kMaxGroupRows = 65536;

std::string_view BytesOfMatrix(const Eigen::MatrixXd& matrix) {
  return {reinterpret_cast<const char*>(matrix.data()),
          static_cast<std::size_t>(matrix.size()) * sizeof(double)};
}

std::uint32_t GroupCrc(std::string_view id, std::int64_t group, std::string_view bytes) {
  return Crc32c(bytes, Crc32c(ByteWriter().String(id).Number(group).bytes()));
}

std::uint32_t DescriptionCrc(std::string_view id, std::string_view description) {
  return Crc32c(description, Crc32c(ByteWriter().String(id).bytes()));
}

std::int64_t GroupBytes(std::int64_t rows, std::int64_t columns) {
  return rows * columns * static_cast<std::int64_t>(sizeof(double)) + kCrcBytes;
}

}  // namespace

// ----- Writing -----

TableWriter::TableWriter(File file, std::string id, std::int64_t columns)
    : file_(std::move(file)),
      id_(std::move(id)),
      group_(std::clamp<std::int64_t>(
                 kGroupBytes / (columns * static_cast<std::int64_t>(sizeof(double))), 1,
                 kMaxGroupRows),
             columns),
      offset_(kHeaderBytes) {}

absl::Status TableWriter::WriteGroup(std::int64_t rows) {
  if (rows < group_.rows()) group_.conservativeResize(rows, Eigen::NoChange);  // the last one
  const std::string_view bytes = BytesOfMatrix(group_);
  RETURN_IF_ERROR(file_.WriteAt(offset_, bytes));
  offset_ += static_cast<std::int64_t>(bytes.size());
  const std::string crc = ByteWriter().Number(GroupCrc(id_, groups_, bytes)).bytes();
  RETURN_IF_ERROR(file_.WriteAt(offset_, crc));
  offset_ += kCrcBytes;
  rows_ += rows;
  ++groups_;
  return absl::OkStatus();
}

absl::Status TableWriter::Finish(std::string_view description) {
  RETURN_IF_ERROR(file_.WriteAt(offset_, description));
  offset_ += static_cast<std::int64_t>(description.size());
  RETURN_IF_ERROR(
      file_.WriteAt(offset_, ByteWriter().Number(DescriptionCrc(id_, description)).bytes()));
  std::string header(kMagic);
  header += ByteWriter()
                .Number(kVersion)
                .Number(static_cast<std::uint32_t>(full_group_rows_))
                .Number<std::uint64_t>(rows_)
                .Number<std::uint64_t>(columns())
                .Number<std::uint64_t>(description.size())
                .Number<std::uint32_t>(0)
                .bytes();
  header += ByteWriter().Number(DescriptionCrc(id_, header)).bytes();
  RETURN_IF_ERROR(file_.WriteAt(0, header));
  return file_.Sync();
}

// ----- Reading -----

absl::StatusOr<std::unique_ptr<TableReader>> TableReader::Open(const std::string& path,
                                                               std::string id) {
  absl::StatusOr<File> file = File::OpenToRead(path);
  if (absl::IsNotFound(file.status())) {
    return absl::DataLossError(absl::StrCat("the file of data set '", id, "' is missing"));
  }
  RETURN_IF_ERROR(file.status());
  std::unique_ptr<TableReader> reader(new TableReader(*std::move(file), std::move(id)));
  absl::Status status = reader->ReadHeader();
  if (absl::IsOutOfRange(status)) status = reader->Damaged();  // ends too early
  RETURN_IF_ERROR(status);
  return reader;
}

absl::Status TableReader::Damaged() const {
  return absl::DataLossError(absl::StrCat("the file of data set '", id_, "' is damaged"));
}

absl::Status TableReader::ReadHeader() {
  std::string header(kHeaderBytes, '\0');
  RETURN_IF_ERROR(file_.ReadAt(0, header.size(), header.data()));
  const std::string_view covered = std::string_view(header).substr(0, kHeaderBytes - kCrcBytes);
  ByteReader fields(std::string_view(header).substr(kMagic.size()));
  const auto version = fields.Number<std::uint32_t>();
  group_rows_ = fields.Number<std::uint32_t>();
  rows_ = fields.Number<std::int64_t>();
  columns_ = fields.Number<std::int64_t>();
  const auto description_bytes = fields.Number<std::int64_t>();
  fields.Number<std::uint32_t>();
  const auto crc = fields.Number<std::uint32_t>();
  if (!header.starts_with(kMagic) || crc != DescriptionCrc(id_, covered)) return Damaged();
  if (version != kVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the file of data set '", id_, "' was written by a newer version of the server"));
  }
  // What the checksum has confirmed is what a writer wrote; the size says whether all is there.
  const std::int64_t data_bytes = GroupBytes(rows_, columns_) + (group_count() - 1) * kCrcBytes;
  ASSIGN_OR_RETURN(const std::int64_t size, file_.Size());
  if (size != kHeaderBytes + data_bytes + description_bytes + kCrcBytes) return Damaged();
  std::string tail(static_cast<std::size_t>(description_bytes + kCrcBytes), '\0');
  RETURN_IF_ERROR(file_.ReadAt(kHeaderBytes + data_bytes, tail.size(), tail.data()));
  description_ = tail.substr(0, static_cast<std::size_t>(description_bytes));
  const auto description_crc =
      ByteReader(std::string_view(tail).substr(description_.size())).Number<std::uint32_t>();
  if (description_crc != DescriptionCrc(id_, description_)) return Damaged();
  return absl::OkStatus();
}

std::int64_t TableReader::group_count() const { return (rows_ + group_rows_ - 1) / group_rows_; }

std::int64_t TableReader::rows_in(std::int64_t group) const {
  return std::min(group_rows_, rows_ - first_row(group));
}

absl::Status TableReader::ReadGroup(std::int64_t group, Eigen::MatrixXd& rows) const {
  rows.resize(rows_in(group), columns_);
  const std::int64_t offset = kHeaderBytes + group * GroupBytes(group_rows_, columns_);
  const std::string_view bytes = BytesOfMatrix(rows);
  std::uint32_t crc = 0;
  absl::Status status = file_.ReadAt(offset, bytes.size(), reinterpret_cast<char*>(rows.data()));
  if (status.ok()) {
    status = file_.ReadAt(offset + static_cast<std::int64_t>(bytes.size()), sizeof crc,
                          reinterpret_cast<char*>(&crc));
  }
  if (absl::IsOutOfRange(status)) return Damaged();
  RETURN_IF_ERROR(status);
  if (crc != GroupCrc(id_, group, bytes)) return Damaged();
  return absl::OkStatus();
}

}  // namespace posteriord::server
