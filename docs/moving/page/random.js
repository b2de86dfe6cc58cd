// The numbers that PyTorch draws on a processor: Mersenne twister, uniform in 0..1 with 24 bits.

const [LENGTH, MIDDLE] = [624, 397];

/** Return a function that draws `count` numbers, one after the other, as `torch.rand` does. */
export function generator(seed) {
  const state = new Uint32Array(LENGTH);
  state[0] = seed >>> 0;
  for (let i = 1; i < LENGTH; i += 1) {
    const last = state[i - 1] ^ (state[i - 1] >>> 30);
    state[i] = Math.imul(1812433253, last) + i;
  }
  let next = LENGTH;
  const renew = () => {
    for (let i = 0; i < LENGTH; i += 1) {
      const y = (state[i] & 0x80000000) | (state[(i + 1) % LENGTH] & 0x7fffffff);
      state[i] = state[(i + MIDDLE) % LENGTH] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    next = 0;
  };
  const bits = () => {
    if (next === LENGTH) renew();
    let y = state[next];
    next += 1;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
  return (count) => Float32Array.from({ length: count }, () => (bits() & 0xffffff) / 0x1000000);
}
