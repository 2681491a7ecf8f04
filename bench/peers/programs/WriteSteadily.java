import java.util.Properties;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Writes records of 100 bytes to the partitions of a topic in turn until it is killed: bootstrap topic partitions records-per-second. */
public class WriteSteadily {
  public static void main(String[] args) throws Exception {
    int partitions = Integer.parseInt(args[2]);
    int perSecond = Integer.parseInt(args[3]);
    Properties properties = new Properties();
    properties.put("bootstrap.servers", args[0]);
    properties.put("linger.ms", 5);
    properties.put("batch.size", 1024);
    byte[] value = new byte[100];
    try (var producer = new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
      for (int p = 0; p < partitions; p++) producer.send(new ProducerRecord<>(args[1], p, null, value));
      producer.flush();
      System.out.println("ready");
      long start = System.nanoTime();
      for (long i = 0; ; ) {
        long early = start + (i * 1000 / perSecond) * 1_000_000L - System.nanoTime();
        if (early > 0) LockSupport.parkNanos(early);
        else producer.send(new ProducerRecord<>(args[1], (int) (i++ % partitions), null, value));
      }
    }
  }
}
