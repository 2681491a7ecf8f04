/** What is known of the generate source without loading it. */
import { field } from '../../options/fields.ts'

const options = {
  template: field
    .oneOf(['orders'])
    .default('orders')
    .doc(
      'Kind of records to generate: `orders` are orders of a web shop, JSON of about 155 bytes. About half of them have an `amount` of 100 or more.',
    ),
  records: field
    .int({ min: 0 })
    .optional()
    .doc('Number of records. Without it, the source never ends.')
    .example(1_000_000),
  seed: field.int({ min: 0, max: 4_294_967_295 }).default(1).doc('The same seed generates the same records.'),
  key: field
    .oneOf(['customer_id', 'order_id', 'none'])
    .default('customer_id')
    .doc('Field to use as the key. Orders with the same key go to the same partition, in order.'),
  recordsPerSecond: field
    .int({ min: 1 })
    .optional()
    .doc('Maximum records per second. Without it, as fast as the sink accepts them.'),
}

export const generateSourceDefinition = {
  name: 'generate',
  summary: 'Generates orders of a web shop, the same ones for the same seed.',
  options,
  examples: [{ title: 'A million orders', options: { records: 1_000_000, seed: 7 } }],
}
