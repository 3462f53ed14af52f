// The gRPC face of the data sets.
#ifndef POSTERIORD_SERVER_SERVICES_DATASET_SERVICE_H_
#define POSTERIORD_SERVER_SERVICES_DATASET_SERVICE_H_

#include "posteriord/v1/dataset_service.grpc.pb.h"
#include "server/base/io_executor.h"
#include "server/data/dataset_store.h"

namespace posteriord::server {

// See posteriord/v1/dataset_service.proto. REQUIRES: store and executor outlive all calls.
class DatasetService final : public v1::DatasetService::CallbackService {
 public:
  struct Executors {
    IoExecutor& reads;    // calls that look something up
    IoExecutor& uploads;  // parsing, which takes as long as the data are large
  };

  DatasetService(DatasetStore& store, const Executors& executors)
      : store_(store), executor_(executors.reads), uploads_(executors.uploads) {}

  grpc::ServerReadReactor<v1::UploadDatasetRequest>* UploadDataset(
      grpc::CallbackServerContext* context, v1::Dataset* response) override;
  grpc::ServerUnaryReactor* GetDataset(grpc::CallbackServerContext* context,
                                       const v1::GetDatasetRequest* request,
                                       v1::Dataset* response) override;
  grpc::ServerUnaryReactor* ListDatasets(grpc::CallbackServerContext* context,
                                         const v1::ListDatasetsRequest* request,
                                         v1::ListDatasetsResponse* response) override;
  grpc::ServerUnaryReactor* DeleteDataset(grpc::CallbackServerContext* context,
                                          const v1::DeleteDatasetRequest* request,
                                          google::protobuf::Empty* response) override;

 private:
  DatasetStore& store_;
  IoExecutor& executor_;
  IoExecutor& uploads_;
};

}  // namespace posteriord::server

#endif  // POSTERIORD_SERVER_SERVICES_DATASET_SERVICE_H_
