import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Produced;

/**
 * Kafka Streams in the cases `filter` and `copy-eos`: from a topic to a topic, until it has read so many records. Options as name=value.
 * With `minimum`, only JSON orders with at least that amount.
 */
public class StreamsJob {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] args) throws Exception {
    Map<String, String> task = new HashMap<>();
    for (String arg : args) task.put(arg.substring(0, arg.indexOf('=')), arg.substring(arg.indexOf('=') + 1));
    long records = Long.parseLong(task.get("records"));
    Properties properties = new Properties();
    for (String name : task.keySet()) if (name.contains(".")) properties.put(name, task.get(name));

    AtomicLong read = new AtomicLong();
    CountDownLatch all = new CountDownLatch(1);
    StreamsBuilder builder = new StreamsBuilder();
    KStream<byte[], byte[]> orders =
        builder.stream(task.get("topic"), Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()));
    orders = orders.peek((key, value) -> {
      if (read.incrementAndGet() == records) all.countDown();
    });
    if (task.containsKey("minimum")) {
      double minimum = Double.parseDouble(task.get("minimum"));
      orders = orders.filter((key, value) -> amountOf(value) >= minimum);
    }
    orders.to(task.get("output"), Produced.with(Serdes.ByteArray(), Serdes.ByteArray()));
    KafkaStreams streams = new KafkaStreams(builder.build(), properties);
    streams.setUncaughtExceptionHandler(error -> {
      error.printStackTrace();
      Runtime.getRuntime().halt(1);
      return null;
    });
    streams.start();
    all.await();
    // Commits what is open.
    streams.close();
    System.out.printf("{\"records\":%d}%n", read.get());
  }

  private static double amountOf(byte[] value) {
    try {
      return JSON.readTree(value).get("amount").asDouble();
    } catch (java.io.IOException error) {
      throw new java.io.UncheckedIOException(error);
    }
  }
}
