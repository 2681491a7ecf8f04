import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * The Java side of the case `partitions`: what `runners/millrace-steady.ts` does, with the same arguments as name=value.
 */
public class ConsumeSteadily {
  public static void main(String[] args) throws Exception {
    Map<String, String> task = new HashMap<>();
    for (String arg : args) task.put(arg.substring(0, arg.indexOf('=')), arg.substring(arg.indexOf('=') + 1));
    long warmUp = Long.parseLong(task.get("warmUpSeconds")) * 1_000_000_000L;
    long measured = Long.parseLong(task.get("seconds")) * 1_000_000_000L;
    Properties properties = new Properties();
    properties.put("bootstrap.servers", task.get("bootstrapServers"));
    properties.put("group.id", task.get("groupId"));
    properties.put("auto.offset.reset", "earliest");
    var process = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long bytes = 0;
    long records = 0;
    long cpuBefore = 0;
    long from = 0;
    long firstAfter = 0;
    long start = System.nanoTime();
    var consumer = new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    consumer.subscribe(List.of(task.get("topic")));
    for (;;) {
      var polled = consumer.poll(Duration.ofMillis(100));
      long now = System.nanoTime();
      if (firstAfter == 0 && polled.count() > 0) firstAfter = now - start;
      if (from == 0 && now - start >= warmUp) {
        from = now;
        cpuBefore = process.getProcessCpuTime();
      } else if (from != 0) {
        records += polled.count();
        if (now - from >= measured) break;
      }
      for (ConsumerRecord<byte[], byte[]> record : polled) bytes += record.value().length;
    }
    double cpuSeconds = (process.getProcessCpuTime() - cpuBefore) / 1e9;
    System.out.printf("{\"records\":%d,\"seconds\":%.6f,\"cpuSeconds\":%.3f,\"milliseconds\":{\"first\":%.1f},\"bytes\":%d}%n",
        records, (System.nanoTime() - from) / 1e9, cpuSeconds, firstAfter / 1e6, bytes);
    // Leaving the group does not count, and nobody waits for it.
    Runtime.getRuntime().halt(0);
  }
}
