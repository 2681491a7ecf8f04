;; Decompresses one block of LZ4 or of Snappy. Input and output lie in the same memory, the output behind the input; 16 bytes behind
;; the output must be there, too, as copies run over. No read leaves the input by more than 16 bytes, no write the output.
;;
;; `npm run docs` assembles this file; `blocks.ts` uses it.
;; https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
;; https://github.com/google/snappy/blob/main/format_description.txt
(module
  (memory (export "memory") 1)

  ;; Copies 16 bytes at a time, and so up to 15 bytes more than `length`, which is at least 1.
  (func $copy (param $to i32) (param $from i32) (param $length i32)
    (local $stop i32)
    (local.set $stop (i32.add (local.get $to) (local.get $length)))
    (loop $more
      (v128.store align=1 (local.get $to) (v128.load align=1 (local.get $from)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (br_if $more (i32.lt_u (local.get $to) (local.get $stop)))))

  ;; Repeats what lies `distance` bytes before; it may overlap with what is written.
  (func $repeat (param $to i32) (param $distance i32) (param $length i32)
    (local $from i32) (local $stop i32)
    (local.set $from (i32.sub (local.get $to) (local.get $distance)))
    (if (i32.ge_u (local.get $distance) (i32.const 16))
      (then (call $copy (local.get $to) (local.get $from) (local.get $length)) (return)))
    (if (i32.eq (local.get $distance) (i32.const 1))
      (then (memory.fill (local.get $to) (i32.load8_u (local.get $from)) (local.get $length)) (return)))
    (local.set $stop (i32.add (local.get $to) (local.get $length)))
    (if (i32.ge_u (local.get $distance) (i32.const 8))
      (then
        (loop $eight
          (i64.store align=1 (local.get $to) (i64.load align=1 (local.get $from)))
          (local.set $to (i32.add (local.get $to) (i32.const 8)))
          (local.set $from (i32.add (local.get $from) (i32.const 8)))
          (br_if $eight (i32.lt_u (local.get $to) (local.get $stop))))
        (return)))
    (loop $one
      (i32.store8 (local.get $to) (i32.load8_u (local.get $from)))
      (local.set $to (i32.add (local.get $to) (i32.const 1)))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))
      (br_if $one (i32.lt_u (local.get $to) (local.get $stop)))))

  ;; Reads [at, end) and writes from `to` on, not beyond `limit`; copies may refer back to `base`.
  ;; Returns the position after the last byte written, -1 when the block is malformed or does not fit.
  (func (export "lz4") (param $at i32) (param $end i32) (param $base i32) (param $to i32) (param $limit i32) (result i32)
    (local $token i32) (local $length i32) (local $byte i32) (local $distance i32)
    (block $bad
      (loop $sequence
        (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (local.get $to))))
        (local.set $token (i32.load8_u (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))

        ;; literals
        (local.set $length (i32.shr_u (local.get $token) (i32.const 4)))
        (if (i32.eq (local.get $length) (i32.const 15))
          (then
            (loop $more
              (br_if $bad (i32.ge_u (local.get $at) (local.get $end)))
              (local.set $byte (i32.load8_u (local.get $at)))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (local.set $length (i32.add (local.get $length) (local.get $byte)))
              ;; here, so that the sum cannot overflow
              (br_if $bad (i32.gt_u (local.get $length) (i32.sub (local.get $limit) (local.get $to))))
              (br_if $more (i32.eq (local.get $byte) (i32.const 255))))))
        (br_if $bad (i32.gt_u (local.get $length) (i32.sub (local.get $end) (local.get $at))))
        (br_if $bad (i32.gt_u (local.get $length) (i32.sub (local.get $limit) (local.get $to))))
        (if (local.get $length)
          (then
            (call $copy (local.get $to) (local.get $at) (local.get $length))
            (local.set $at (i32.add (local.get $at) (local.get $length)))
            (local.set $to (i32.add (local.get $to) (local.get $length)))))
        ;; the last sequence is literals only
        (if (i32.eq (local.get $at) (local.get $end)) (then (return (local.get $to))))

        ;; a match
        (br_if $bad (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 2)))
        (local.set $distance (i32.load16_u align=1 (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 2)))
        (local.set $length (i32.add (i32.and (local.get $token) (i32.const 15)) (i32.const 4)))
        (if (i32.eq (local.get $length) (i32.const 19))
          (then
            (loop $more
              (br_if $bad (i32.ge_u (local.get $at) (local.get $end)))
              (local.set $byte (i32.load8_u (local.get $at)))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (local.set $length (i32.add (local.get $length) (local.get $byte)))
              (br_if $bad (i32.gt_u (local.get $length) (i32.sub (local.get $limit) (local.get $to))))
              (br_if $more (i32.eq (local.get $byte) (i32.const 255))))))
        (br_if $bad (i32.eqz (local.get $distance)))
        (br_if $bad (i32.gt_u (local.get $distance) (i32.sub (local.get $to) (local.get $base))))
        (br_if $bad (i32.gt_u (local.get $length) (i32.sub (local.get $limit) (local.get $to))))
        (call $repeat (local.get $to) (local.get $distance) (local.get $length))
        (local.set $to (i32.add (local.get $to) (local.get $length)))
        (br $sequence)))
    (i32.const -1))

  ;; As `lz4`; `at` lies after the length that the block begins with.
  (func (export "snappy") (param $at i32) (param $end i32) (param $base i32) (param $to i32) (param $limit i32) (result i32)
    (local $tag i32) (local $kind i32) (local $length i32) (local $bytes i32) (local $distance i32)
    (block $bad
      (loop $element
        (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (local.get $to))))
        (local.set $tag (i32.load8_u (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (local.set $kind (i32.and (local.get $tag) (i32.const 3)))
        (local.set $length (i32.add (i32.shr_u (local.get $tag) (i32.const 2)) (i32.const 1)))

        (if (i32.eqz (local.get $kind))
          (then
            (if (i32.gt_u (local.get $length) (i32.const 60))
              (then
                ;; the length less one, in 1 to 4 bytes
                (local.set $bytes (i32.sub (local.get $length) (i32.const 60)))
                (br_if $bad (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (local.get $bytes)))
                (local.set $length
                  (i32.add (i32.const 1)
                    (i32.and (i32.load align=1 (local.get $at))
                      (i32.shr_u (i32.const -1) (i32.sub (i32.const 32) (i32.shl (local.get $bytes) (i32.const 3)))))))
                (br_if $bad (i32.eqz (local.get $length)))
                (local.set $at (i32.add (local.get $at) (local.get $bytes)))))
            (br_if $bad (i32.gt_u (local.get $length) (i32.sub (local.get $end) (local.get $at))))
            (br_if $bad (i32.gt_u (local.get $length) (i32.sub (local.get $limit) (local.get $to))))
            (call $copy (local.get $to) (local.get $at) (local.get $length))
            (local.set $at (i32.add (local.get $at) (local.get $length)))
            (local.set $to (i32.add (local.get $to) (local.get $length)))
            (br $element)))

        ;; 1, 2 or 4 bytes of the distance follow
        (local.set $bytes (select (i32.const 4) (local.get $kind) (i32.eq (local.get $kind) (i32.const 3))))
        (br_if $bad (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (local.get $bytes)))
        (local.set $distance
          (i32.and (i32.load align=1 (local.get $at))
            (i32.shr_u (i32.const -1) (i32.sub (i32.const 32) (i32.shl (local.get $bytes) (i32.const 3))))))
        (if (i32.eq (local.get $kind) (i32.const 1))
          (then
            (local.set $distance
              (i32.or (i32.shl (i32.and (local.get $tag) (i32.const 0xe0)) (i32.const 3)) (local.get $distance)))
            (local.set $length (i32.add (i32.and (i32.shr_u (local.get $tag) (i32.const 2)) (i32.const 7)) (i32.const 4)))))
        (local.set $at (i32.add (local.get $at) (local.get $bytes)))
        (br_if $bad (i32.eqz (local.get $distance)))
        (br_if $bad (i32.gt_u (local.get $distance) (i32.sub (local.get $to) (local.get $base))))
        (br_if $bad (i32.gt_u (local.get $length) (i32.sub (local.get $limit) (local.get $to))))
        (call $repeat (local.get $to) (local.get $distance) (local.get $length))
        (local.set $to (i32.add (local.get $to) (local.get $length)))
        (br $element)))
    (i32.const -1)))
