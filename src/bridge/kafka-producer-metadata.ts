// What a producer is told of topics. The library puts a record whose partition it does not find into another one, and
// throws where nobody catches it, when a topic lacks a partition at a further try, or was forgotten while another was
// looked up: which happens when topics are recreated, and would end the process.
import { ProtocolError, kMetadata } from "@platformatic/kafka";
import type { ClusterMetadata, ClusterTopicMetadata } from "@platformatic/kafka";
import type { TextProducer } from "./kafka-produce-request.ts";

/** More than there can be: the library's remainder leaves every partition what it is. */
const ANY_PARTITION = 2 ** 31;

/** Makes a producer leave records in the partitions they were given, and brokers say where there are none. */
export function keepPartitions(producer: TextProducer): void {
  const read = producer[kMetadata].bind(producer);
  producer[kMetadata] = (options, callback) => {
    read(options, (error, metadata) => {
      if (metadata === undefined || isWhole(metadata)) {
        callback(error, metadata && withAnyPartition(metadata));
        return;
      }
      // All of them in one answer.
      read({ ...options, forceUpdate: true }, (failure, again) => {
        if (again === undefined || isWhole(again)) {
          callback(failure, again && withAnyPartition(again));
        } else {
          callback(new ProtocolError("UNKNOWN_TOPIC_OR_PARTITION"));
        }
      });
    });
  };
}

/** Whether every topic asked for is there: the library leaves holes. */
function isWhole({ topics }: ClusterMetadata): boolean {
  return [...topics.values()].every((topic: ClusterTopicMetadata | undefined) => topic !== undefined);
}

function withAnyPartition(metadata: ClusterMetadata): ClusterMetadata {
  const [anyBroker = -1] = metadata.brokers.keys();
  const nowhere = { leader: anyBroker, leaderEpoch: -1, replicas: [], isr: [], offlineReplicas: [] };
  const topics = [...metadata.topics].map(([name, topic]): [string, ClusterTopicMetadata] => {
    const partitions = new Proxy(topic.partitions, {
      // Whichever broker is asked for a partition that is not there says so, and fresh metadata answers that.
      get: (known, place, list: unknown) => Reflect.get(known, place, list) ?? nowhere,
    });
    return [name, { ...topic, partitionsCount: ANY_PARTITION, partitions }];
  });
  return { ...metadata, topics: new Map(topics) };
}
