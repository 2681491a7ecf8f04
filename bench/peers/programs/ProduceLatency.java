import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The Java side of the case `latency`: what `runners/millrace-latency.ts` does, with the same arguments as name=value.
 */
public class ProduceLatency {
  public static void main(String[] args) throws Exception {
    Map<String, String> task = new HashMap<>();
    for (String arg : args) task.put(arg.substring(0, arg.indexOf('=')), arg.substring(arg.indexOf('=') + 1));
    int warmUp = Integer.parseInt(task.get("warmUp"));
    int records = Integer.parseInt(task.get("records"));
    int perSecond = Integer.parseInt(task.get("perSecond"));
    String topic = task.get("topic");
    Properties properties = new Properties();
    properties.put("bootstrap.servers", task.get("bootstrapServers"));
    properties.put("acks", "all");
    properties.put("linger.ms", task.get("lingerMs"));
    byte[] value = new byte[100];
    Arrays.fill(value, (byte) 'x');
    double[] milliseconds = new double[warmUp + records];
    double seconds;
    try (var producer = new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
      producer.send(new ProducerRecord<>(topic, value)).get();
      long start = System.nanoTime();
      if (perSecond == 0) {
        for (int i = 0; i < milliseconds.length; i++) {
          long sentAt = System.nanoTime();
          producer.send(new ProducerRecord<>(topic, value)).get();
          milliseconds[i] = (System.nanoTime() - sentAt) / 1e6;
        }
      } else {
        CountDownLatch open = new CountDownLatch(milliseconds.length);
        for (int i = 0; i < milliseconds.length; ) {
          long due = start + (i * 1000L / perSecond) * 1_000_000L;
          long early = due - System.nanoTime();
          if (early > 0) {
            LockSupport.parkNanos(early);
            continue;
          }
          int number = i++;
          producer.send(new ProducerRecord<>(topic, value), (metadata, error) -> {
            if (error != null) {
              error.printStackTrace();
              System.exit(1);
            }
            milliseconds[number] = (System.nanoTime() - due) / 1e6;
            open.countDown();
          });
        }
        open.await();
      }
      seconds = (System.nanoTime() - start) / 1e9;
    }
    double[] sorted = Arrays.copyOfRange(milliseconds, warmUp, milliseconds.length);
    Arrays.sort(sorted);
    System.out.printf("{\"records\":%d,\"seconds\":%.6f,\"milliseconds\":{\"p50\":%.3f,\"p99\":%.3f,\"p999\":%.3f}}%n",
        milliseconds.length, seconds, at(sorted, 0.5), at(sorted, 0.99), at(sorted, 0.999));
  }

  private static double at(double[] sorted, double share) {
    return sorted[Math.min(sorted.length - 1, (int) (sorted.length * share))];
  }
}
