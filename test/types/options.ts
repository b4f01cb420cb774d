// What `pipeline` and `option` must infer and refuse.
import { create, option, pipeline, type OptionValues, type PipelineDefinition } from "../../sdk/index.js";
import { expectType, type Equal } from "./equal.js";

const declared = {
  input: option.string({ default: "a.txt", help: "files" }),
  top: option.int({ min: 1 }),
  share: option.number({ default: 0.5 }),
  loud: option.boolean(),
};
expectType<
  Equal<OptionValues<typeof declared>, { readonly input: string; readonly top: number; readonly share: number; readonly loud: boolean }>
>(true);

const definition = pipeline({
  options: declared,
  build: (p, { input, top, share, loud }) => {
    expectType<Equal<typeof input, string>>(true);
    expectType<Equal<typeof top, number>>(true);
    expectType<Equal<typeof share, number>>(true);
    expectType<Equal<typeof loud, boolean>>(true);
    return p.apply(create([input]));
  },
});
expectType<Equal<typeof definition, PipelineDefinition<typeof declared>>>(true);

pipeline((p) => p.apply(create([1])));
pipeline({ build: (p) => p.apply(create([1])) });

// @ts-expect-error a default has the option's type
option.int({ default: "20" });
// @ts-expect-error text has no bounds
option.string({ min: 1 });
// @ts-expect-error no such option
pipeline({ options: declared, build: (p, { output }) => p.apply(create([output])) });
pipeline({
  options: declared,
  // @ts-expect-error `top` is a number
  build: (p, { top }) => p.apply(create([top.toUpperCase()])),
});
