import { it } from 'vitest';
import { recordTrace } from '../src/model/trace.js';
import { continuing, openGolden, readIntegers, readTensors, allLogits } from './support/golden.js';
import { largestDifference, spread } from './support/tensors.js';
const rms = (a:any,b:any)=>{let s=0;for(let i=0;i<a.length;i++)s+=(a[i]-b[i])**2;return Math.sqrt(s/a.length)};
it('x', async () => {
  for (const m of ['mha','gqa']) {
    const tokens = await readIntegers(`${m}/trace-f32.safetensors`, 'tokens');
    const g:any = {}; for (const d of ['f32','bf16','f16','f64']) g[d] = await readTensors(`${m}/trace-${d}.safetensors`);
    for (const mode of ['f64','f32','bf16','f16'] as const) {
      const model = await openGolden(m, mode);
      const rec = recordTrace();
      const s = model.createSequence();
      const rows = continuing(s, tokens);
      await model.forward(rows, { logitsFor: [...rows.keys()], trace: rec.trace });
      const sp = spread(g.f64.get('lm_head').data);
      const ours = rec.tensors.get('lm_head')!.data;
      console.log(m, mode, Object.keys(g).map(d=> `${d}: max ${(largestDifference(ours, g[d].get('lm_head').data)/sp).toExponential(2)} rms ${(rms(ours, g[d].get('lm_head').data)/sp).toExponential(2)}`).join(' | '));
      if (mode==='f64') continue;
      let n=0, bad=0; const first:string[]=[];
      for (const k of rec.tensors.keys()) { const o = rec.tensors.get(k)!; const t=g[mode].get(k);
        let d=0; for (let i=0;i<t.data.length;i++) if (t.data[i]!==o.data[i]) d++; n+=t.data.length; bad+=d; first.push(`${k.replace('model.layers.','')}:${(d/t.data.length).toFixed(3)}`); }
      console.log('bits differ', bad/n, first.join(' '));
      await model.close();
    }
  }
}, 600000);
it('long', async () => {
    const tokens = await readIntegers(`long/tokens.safetensors`, 'tokens');
    const positions = await readIntegers(`long/tokens.safetensors`, 'positions');
    const g:any = {}; for (const d of ['f32','bf16','f16','f64']) g[d] = (await readTensors(`long/logits-${d}.safetensors`)).get('logits');
      const sp = spread(g.f64.data);
    for (const mode of ['f64','f32','bf16','f16'] as const) {
      const model = await openGolden('long', mode);
      const s = model.createSequence();
      const rows = continuing(s, tokens);
      const t0=performance.now();
      const {data: ours} = await model.forward(rows, { logitsFor: positions });
      console.log('long', mode, ((performance.now()-t0)/1000).toFixed(1)+'s', Object.keys(g).map(d=> `${d}: max ${(largestDifference(ours, g[d].data)/sp).toExponential(2)} rms ${(rms(ours, g[d].data)/sp).toExponential(2)}`).join(' | '));
      await model.close();
    }
}, 600000);
