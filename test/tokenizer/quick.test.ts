import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readSentencePieceModel } from '../../src/tokenizer/sentencepiece-model.js';
import { Tokenizer } from '../../src/tokenizer/tokenizer.js';
it('x', () => {
  for (const d of ['../shared/tokenizers/llama2', 'golden/tokenizer']) {
    let t0=performance.now();
    const t = new Tokenizer(readSentencePieceModel(readFileSync(`${d}/tokenizer.model`)));
    console.log('load', performance.now()-t0);
    const v = JSON.parse(readFileSync(`${d}/vectors.json`, 'utf8'));
    for (const c of v.vectors ?? v.encode) expect(t.encode(c.text), JSON.stringify(c.text)).toEqual(c.ids);
    for (const c of v.encode??[]) expect(t.encode(c.text,{continuation:true}), JSON.stringify(c.text)).toEqual(c.continuation);
    for (const c of v.decode??[]) expect(t.decode(c.ids), JSON.stringify(c.ids)).toEqual(c.text);
    for (const c of v.decode??[]) expect(t.decode(c.ids,{continuation:true}), JSON.stringify(c.ids)).toEqual(c.continuation);
    const english = readFileSync('../shared/research/bugs.md','utf8').replaceAll('▁','').repeat(40).slice(0,1e6);
    for (const [n,x] of Object.entries({english, a:'a'.repeat(1e6), sp:' '.repeat(1e6), emoji:'🦙'.repeat(250000), word:Array.from({length:1e6},(_, i)=>'ehrst'[(i*i*7+i)%5]).join('')})) {
      t0=performance.now(); const ids=t.encode(x); const e=performance.now()-t0;
      t0=performance.now(); const back=t.decode(ids); const dd=performance.now()-t0;
      expect(back===x).toBe(true);
      console.log(d,n,ids.length,e.toFixed(0),dd.toFixed(0));
    }
  }
});
