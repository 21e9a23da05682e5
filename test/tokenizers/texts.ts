/**
 * Texts in ten writing systems, for tests that compare tokenizers. Names come from Node's own locale data, so that there
 * are thousands of words in each without a file of them; the rest is written here.
 */

interface Script {
  locale: string;
  /** Article 1 of the Universal Declaration of Human Rights. */
  article: string;
}

export const SCRIPTS: readonly Script[] = [
  {
    locale: 'en',
    article:
      "All human beings are born free and equal in dignity and rights. They're endowed with reason and conscience, and should act towards one another in a spirit of brotherhood. Tüm insanlar özgür doğar; tất cả mọi người sinh ra đều được tự do. Ludzie rodzą się wolni.",
  },
  {
    locale: 'el',
    article:
      'Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα. Είναι προικισμένοι με λογική και συνείδηση. ΟΛΟΙ ΟΙ ΑΝΘΡΩΠΟΙ ΓΕΝΝΙΟΥΝΤΑΙ ΕΛΕΥΘΕΡΟΙ, ΟΔΟΣ ΑΔΕΛΦΟΣΥΝΗΣ.',
  },
  {
    locale: 'ru',
    article:
      'Все люди рождаются свободными и равными в своём достоинстве и правах. Они наделены разумом и совестью и должны поступать в отношении друг друга в духе братства. Усі люди народжуються вільними; їхній ґрунт.',
  },
  {
    locale: 'ar',
    article:
      'يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق، وقد وُهبوا عقلًا وضميرًا، وعليهم أن يعامل بعضهم بعضًا بروح الإخاء. تمام افراد بشر آزاد به دنیا می‌آیند؟',
  },
  {
    locale: 'he',
    article:
      'כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם. כולם חוננו בתבונה ובמצפון, לפיכך חובה עליהם לנהוג איש ברעהו ברוח של אחווה. בְּרֵאשִׁית בָּרָא אֱלֹהִים צה״ל.',
  },
  {
    locale: 'hi',
    article:
      'सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है। उन्हें बुद्धि और अन्तरात्मा की देन प्राप्त है और परस्पर उन्हें भाईचारे के भाव से बर्ताव करना चाहिए। ज़रूर, क्‍ष और क्‌ष।',
  },
  {
    locale: 'th',
    article:
      'มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ ต่างในตนมีเหตุผลและมโนธรรม และควรปฏิบัติต่อกันด้วยเจตนารมณ์แห่งภราดรภาพ น้ำ ๑๒๓',
  },
  {
    locale: 'zh',
    article:
      '人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。人人生而自由，在尊嚴和權利上一律平等；「他們賦有理性」。𠀀𪚥',
  },
  {
    locale: 'ja',
    article:
      'すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。人間は、理性と良心とを授けられており、互いに同胞の精神をもって行動しなければならない。ｶﾞｷﾞ、パーティー〜。',
  },
  {
    locale: 'ko',
    article:
      '모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 인간은 천부적으로 이성과 양심을 부여받았으며 서로 형제애의 정신으로 행동하여야 한다. 大韓民國 ㄱㄴㄷ 뷁.',
  },
];

/** Strings that tokenizers have treated differently: one of these is in two texts of five. */
const ODDITIES = [
  'e\u0301o\u0302\u0323 \u212b\u0149', // marks apart, compatibility characters
  '\ufb01\ufb00 \uff21\uff22\uff23\uff11 \u2163\u00bd\u00b2 \u33a1\ufdfa', // ligatures, full width, numerals
  '\u{1d49c}\u{1d7d9}\u{10400} \u{20000}\u{2a6b2}\u{2f800}', // letters beyond 16 bits
  '👩‍👩‍👧‍👦👍🏽 🇬🇷🇯🇵 🏳️‍🌈 ☺️ 1️⃣',
  'a\u00a0b\u2009c\u3000d\u202fe\u205ff\u1680g', // spaces
  'a\u200bb\u200cc\u200dd\u2060e\ufefff\u00adg\u200eh\u061ci', // what has no width
  'a\tb\r\nc\n\nd\u0085e\u2028f\u2029g\u000bh\u000ci', // line ends
  'a\u0000b\u0001c\u001bd\u007fe\u0080f\ufffdg\ue000h\u{f0000}i', // controls, private use
  '   a  b   ',
  'İstanbul ıIİi STRASSE straße ẞ ǅ ΑΣ ΟΔΟΣ',
  '\u1112\u1161\u11ab \u1100\u1161 \uac00\u11a8 \u3131', // jamo
  "'S 'Re 'LL 'ſ don’t we'VE '''d", // contractions; the long s folds to s
  '１２３４ 12345678 ٣٤٥٦ १२३ 1,234.5 ²³ Ⅻ 一二三',
  '!!!???...—–―‥…·••· ¿¡«» ‘’“” ((())) #$%&*+/<=>@[\\]^_`{|}~',
  '\u0915\u094d\u0937 \u0958 \u0915\u093c \u0e33 \u0e4d\u0e32 \u05e9\u05c1 \ufb2a \u0627\u0653 \u0622',
  '▁x ▁ ##y Ġz [a] <b>',
  'x<unk>y [UNK] <s>[MASK] [SEP]</s> <|endoftext|>z<|eot_id|>', // special tokens
  `${'supercali'.repeat(12)} ${'漢'.repeat(20)} ${'='.repeat(40)}`,
  '\uff5e\uff3e\uffe5\uff61 ㈱ ㍿ \u2025 \u309b ヾ ゞ ㇰ',
];

/** Names of places, languages and currencies, of which each locale has some 600. */
function names(locale: string): string[] {
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
  const codes = letters.flatMap((a) => letters.map((b) => a + b));
  const named = (type: 'region' | 'language' | 'currency', keys: string[]) => {
    const of = new Intl.DisplayNames([locale], { type, fallback: 'none' });
    return keys.flatMap((key) => of.of(key) ?? []);
  };
  return [
    ...named('region', codes),
    ...named(
      'language',
      codes.map((c) => c.toLowerCase()),
    ),
    ...named('currency', Intl.supportedValuesOf('currency')),
  ];
}

const NAMES = SCRIPTS.map(({ locale }) => names(locale));

const day = (locale: string, days: number): string =>
  new Date(Date.UTC(2000, 0, 1 + days)).toLocaleDateString(locale, { dateStyle: 'full', timeZone: 'UTC' });

const ASCII = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i));

/** Texts from which a vocabulary of all ten can be learned, one a line. */
export const CORPUS: readonly string[] = [
  ASCII.join(' '),
  ...SCRIPTS.flatMap(({ locale, article }, i) => [
    article,
    ...NAMES[i],
    ...Array.from({ length: 24 }, (_, k) => day(locale, k * 157)),
  ]),
];

/** Part of an article, cut within words too, so that no vocabulary has all of its words whole. */
const part = (script: number, seed: number): string => {
  const characters = [...SCRIPTS[script].article];
  const start = (seed * 13) % (characters.length - 20);
  return characters.slice(start, start + 15 + ((seed * 29) % 150)).join('');
};

/** Some names and a date, as one sentence. */
function sentence(script: number, seed: number): string {
  const { locale } = SCRIPTS[script];
  const all = NAMES[script];
  const some = Array.from({ length: 1 + (seed % 6) }, (_, i) => all[(seed * 37 + i * 101) % all.length]);
  return `${new Intl.ListFormat(locale).format(some)} ${day(locale, seed * 400)}`;
}

/** 300 texts, 30 in each writing system, from one word to a hundred; some of two systems. */
export const TEXTS: readonly string[] = Array.from({ length: 300 }, (_, i) => {
  const script = i % SCRIPTS.length;
  const seed = Math.floor(i / SCRIPTS.length);
  const oddity = ODDITIES[(i + seed) % ODDITIES.length];
  switch (seed % 5) {
    case 0:
      return part(script, seed);
    case 1:
      return sentence(script, seed);
    case 2:
      return `${part(script, seed)}${oddity}${sentence(script, seed)}`;
    case 3:
      return `${oddity} ${part((script + seed) % SCRIPTS.length, i)}, ${sentence(script, i)}`;
    default:
      return [...sentence(script, seed)].slice(seed % 7, 9 + (seed % 11)).join('');
  }
});

/** 300 pairs of long and short texts, of one system and of two. */
export const PAIRS: readonly (readonly [string, string])[] = TEXTS.map((text, i) => [
  text,
  TEXTS[(i * 7 + 3) % TEXTS.length],
]);
