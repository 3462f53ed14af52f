#include "server/services/dataset_service.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/base/field_violation.h"
#include "server/base/status_macros.h"
#include "server/convert/resource_name.h"
#include "server/services/paging.h"
#include "server/services/unary_call.h"

namespace posteriord::server {
namespace {

constexpr std::size_t kMaxChunkBytes = 1 << 20;
constexpr char kListScope[] = "datasets";

// Reads one message after another; each is handled on the I/O executor before the next is asked
// for, so an upload holds one message in memory. Deletes itself when gRPC is done with it.
class UploadReactor final : public grpc::ServerReadReactor<v1::UploadDatasetRequest> {
 public:
  UploadReactor(DatasetStore& store, IoExecutor& executor, grpc::CallbackServerContext* context,
                v1::Dataset* response)
      : store_(store), executor_(executor), context_(context), response_(response) {
    StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    executor_.Post([this, ok] { ok ? Take() : Complete(); });
  }

  void OnDone() override {
    // The upload's file is closed off gRPC's thread.
    executor_.Post([this] { delete this; });
  }

 private:
  void Take() {
    const absl::Status status = TakeMessage();
    if (!status.ok()) return Finish(ToGrpc(status));
    if (finished_early_) return Finish(grpc::Status::OK);
    StartRead(&request_);
  }

  absl::Status TakeMessage() {
    ++messages_;
    switch (request_.payload_case()) {
      case v1::UploadDatasetRequest::kHeader:
        if (messages_ > 1) return FieldViolation("header", "is allowed in the first message only");
        return Begin();
      case v1::UploadDatasetRequest::kChunk:
        if (upload_ == nullptr) {
          return FieldViolation("header", "is required in the first message");
        }
        if (request_.chunk().size() > kMaxChunkBytes) {
          return FieldViolation("chunk", absl::StrCat("is larger than ", kMaxChunkBytes, " bytes"));
        }
        return upload_->Append(request_.chunk());
      default:
        return FieldViolation("payload", "is required: a header or a chunk");
    }
  }

  absl::Status Begin() {
    ASSIGN_OR_RETURN(std::optional<v1::Dataset> made, store_.FindUpload(request_.header()));
    if (made.has_value()) {
      *response_ = *std::move(made);
      finished_early_ = true;
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(upload_, store_.BeginUpload(request_.header()));
    return absl::OkStatus();
  }

  // The client has sent everything, or is gone.
  void Complete() {
    if (context_->IsCancelled()) return Finish(grpc::Status::CANCELLED);
    if (upload_ == nullptr) {
      return Finish(ToGrpc(FieldViolation("header", "is required in the first message")));
    }
    absl::StatusOr<v1::Dataset> dataset = upload_->Commit(absl::Now());
    if (dataset.ok()) *response_ = *std::move(dataset);
    Finish(ToGrpc(dataset.status()));
  }

  DatasetStore& store_;
  IoExecutor& executor_;
  grpc::CallbackServerContext* const context_;
  v1::Dataset* const response_;
  v1::UploadDatasetRequest request_;
  std::unique_ptr<DatasetUpload> upload_;
  std::int64_t messages_ = 0;
  bool finished_early_ = false;  // an earlier upload with the same request id is the answer
};

}  // namespace

grpc::ServerReadReactor<v1::UploadDatasetRequest>* DatasetService::UploadDataset(
    grpc::CallbackServerContext* context, v1::Dataset* response) {
  return new UploadReactor(store_, uploads_, context, response);
}

grpc::ServerUnaryReactor* DatasetService::GetDataset(grpc::CallbackServerContext* context,
                                                     const v1::GetDatasetRequest* request,
                                                     v1::Dataset* response) {
  return RunUnary(context, executor_, response, [this, request]() -> absl::StatusOr<v1::Dataset> {
    ASSIGN_OR_RETURN(const std::string id, ParseDatasetName(request->name(), "name"));
    return store_.Get(id);
  });
}

grpc::ServerUnaryReactor* DatasetService::ListDatasets(grpc::CallbackServerContext* context,
                                                       const v1::ListDatasetsRequest* request,
                                                       v1::ListDatasetsResponse* response) {
  return RunUnary(
      context, executor_, response, [this, request]() -> absl::StatusOr<v1::ListDatasetsResponse> {
        ASSIGN_OR_RETURN(const int size, PageSize(request->page_size()));
        ASSIGN_OR_RETURN(const std::string after,
                         DecodePageToken(kListScope, request->page_token()));
        // One more than asked for tells whether there is a next page.
        ASSIGN_OR_RETURN(std::vector<v1::Dataset> datasets, store_.List(after, size + 1));
        v1::ListDatasetsResponse page;
        std::int64_t bytes = 0;
        bool more = false;
        for (v1::Dataset& dataset : datasets) {
          more = page.datasets_size() == size || (bytes > 0 && bytes >= kMaxPageBytes);
          if (more) break;
          bytes += static_cast<std::int64_t>(dataset.ByteSizeLong());
          *page.add_datasets() = std::move(dataset);
        }
        if (more) {
          ASSIGN_OR_RETURN(const std::string last,
                           ParseDatasetName(page.datasets().rbegin()->name(), "name"));
          page.set_next_page_token(EncodePageToken(kListScope, last));
        }
        return page;
      });
}

grpc::ServerUnaryReactor* DatasetService::DeleteDataset(grpc::CallbackServerContext* context,
                                                        const v1::DeleteDatasetRequest* request,
                                                        google::protobuf::Empty* response) {
  return RunUnary(
      context, executor_, response, [this, request]() -> absl::StatusOr<google::protobuf::Empty> {
        ASSIGN_OR_RETURN(const std::string id, ParseDatasetName(request->name(), "name"));
        RETURN_IF_ERROR(store_.Delete(id));
        return google::protobuf::Empty();
      });
}

}  // namespace posteriord::server
