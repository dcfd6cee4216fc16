import { type Command, Option } from 'commander';
import { parseConfig } from '../../config.ts';
import { type Recipe, readRecipe } from '../../data/recipes.ts';
import { inspectTable } from '../../data/sources/inspect.ts';
import { CourierError } from '../../errors.ts';
import { ingestConfig } from '../../pipelines/ingest/config.ts';
import { ingest } from '../../pipelines/ingest/index.ts';
import { type CommonOptions, command, execute, type Outcome, type Terminal } from '../command.ts';
import { dataMissing } from '../data-folder.ts';
import { describeIngest } from '../ingest-summary.ts';
import { describeInspected, proposedCommand } from '../inspect-summary.ts';
import { collectSettings, isSettings, list, number, type Settings } from '../settings.ts';

/** What may stand around values of text files. */
const quotes = ['auto', 'none', '"', "'"] as const;

interface Options extends CommonOptions {
  readonly log?: string;
  readonly user?: string;
  readonly item?: string;
  readonly time?: string;
  readonly clicked?: string;
  readonly clickedValues?: string[];
  readonly encoding?: string;
  readonly quote?: (typeof quotes)[number];
  readonly minimumJoin?: number;
  readonly pageView?: string;
  readonly numeric?: string[];
  readonly context?: string[];
  readonly catalogue?: string;
  readonly catalogueItem?: string;
  readonly image?: string;
  readonly title?: string;
  readonly categories?: string[];
  readonly images?: string;
  readonly validationFrom?: string;
  readonly testFrom?: string;
  readonly recipe?: string;
  readonly data?: string;
  readonly name?: string;
  readonly side?: number;
  readonly seed?: number;
  readonly maxBadRows?: number;
  readonly append?: boolean;
  readonly download?: boolean;
  readonly overwrite?: boolean;
  readonly inspect?: string | true;
  readonly out?: string;
}

export function ingestCommand(terminal: Terminal, outcome: Outcome): Command {
  return command('ingest', 'click log, catalogue and photos → dataset folder (validated, counted)', [
    [
      'courier ingest --log clicks.csv --user user --item item_id --time time',
      '--clicked clicked --page-view page_view --catalogue catalogue.csv --image image',
      '--title title --categories collection --images images --out datasets/shop',
    ].join(' \\\n'),
    'courier ingest --recipe hm --data hm --side 96 --out datasets/hm',
  ])
    .option(
      '--log <file>',
      'click log, a row per exposure or per purchase: a file, pattern or folder of CSV, TSV, JSON Lines or Parquet, also .gz, .zst; or a SELECT',
    )
    .option(
      '--user <column>',
      'column of the log, or SQL expression over its columns, as everywhere here: user id',
    )
    .option('--item <column>', 'column of the log: item id')
    .option('--time <column>', 'column of the log: time, in any of the usual ways; how it is read is printed')
    .option(
      '--clicked <column>',
      'column of the log: 0 or 1, or an expression; without it every row is a purchase, and candidates are sampled',
    )
    .option('--clicked-values <values>', 'values of that column that are clicks, separated by commas', list)
    .option(
      '--page-view <column>',
      'column of the log: what was shown together; without it the rows of one user and time',
    )
    .option(
      '--numeric <columns>',
      'columns of the log: numbers known of an exposure, separated by commas',
      list,
    )
    .option(
      '--context <columns>',
      'columns of the log: categories known of a page view, separated by commas',
      list,
    )
    .option('--catalogue <file>', 'catalogue, a row per item: an input of any kind that --log takes')
    .option('--catalogue-item <column>', 'column of the catalogue: item id (default: that of the log)')
    .option(
      '--image <column>',
      'column of the catalogue: path in the image folder in any form, an address, or the bytes themselves (default: the photo named like the item)',
    )
    .option('--title <column>', 'column of the catalogue: title')
    .option('--categories <columns>', 'columns of the catalogue: categories, separated by commas', list)
    .option('--images <folder>', 'where the photos are: a folder, .tar archives, or s3://bucket/folder')
    .option('--download', 'fetch photos whose column holds addresses (https://) into that folder')
    .option(
      '--validation-from <time>',
      'begin of the validation period (default: after 80 % of the page views)',
    )
    .option('--test-from <time>', 'begin of the test period (default: after 90 % of the page views)')
    .option(
      '--recipe <name>',
      'instead of all these: how the files of --data are read, a known name (hm, ml1m, mind, …) or a file',
    )
    .option('--data <folder>', 'folder with the files of the recipe')
    .option(
      '--encoding <name>',
      'encoding of text files, such as latin1 (default: by their mark, else UTF-8)',
    )
    .addOption(new Option('--quote <character>', 'around values that hold separators').choices(quotes))
    .option(
      '--minimum-join <share>',
      'share of the exposures that catalogue and photos have to know (default: 0.5)',
      number,
    )
    .option('--name <name>', 'name of the dataset in reports')
    .option('--side <pixels>', 'side of the decoded photos (default: 64)', number)
    .option('--seed <seed>', 'seed of everything drawn, such as sampled candidates (default: 1)', number)
    .option('--max-bad-rows <share>', 'largest share of rows that may be unusable (default: 0.01)', number)
    .option(
      '--inspect [file]',
      'show the columns of a file, or of --log and --catalogue, and propose the command; ingests nothing',
    )
    .option(
      '--append',
      'the log holds what came after the dataset in --out, such as a new day, and is appended to it',
    )
    .option('--overwrite', 'make it anew even if there is a dataset already')
    .option('--out <folder>', 'dataset folder to write')
    .action((options: Options) =>
      execute(
        options,
        terminal,
        outcome,
        async ({ print, ...context }) => {
          if (options.inspect !== undefined) return inspect(options, print);
          const recipe = await recipeOf(options);
          const settings = await collectSettings(options, ownSettings(options), recipe?.ingest);
          if (settings['source'] === undefined) throw nothingToIngest();
          requireColumns(settings);
          const { folder, report } = await ingest(
            parseConfig(ingestConfig, settings, 'ingest configuration'),
            context,
          );
          print(describeIngest(report));
          print(`Dataset: ${folder}`);
          return { dataset: folder, ...report };
        },
        'all processes',
      ),
    );
}

async function recipeOf({ recipe, data }: Options): Promise<Recipe | null> {
  if (recipe === undefined) return null;
  if (data === undefined) throw dataMissing();
  return readRecipe(recipe, data);
}

/** Shows what the files hold, and how they could be ingested. */
async function inspect(options: Options, print: (text: string) => void) {
  const { catalogue, images, encoding, quote } = options;
  const log = typeof options.inspect === 'string' ? options.inspect : options.log;
  if (log === undefined) throw nothingToIngest();
  const text = { encoding, quote };
  const inspected = await inspectTable(
    log,
    'Click log',
    ['user', 'item', 'time', 'clicked', 'pageView'],
    text,
  );
  const items =
    catalogue === undefined
      ? null
      : await inspectTable(catalogue, 'Catalogue', ['item', 'image', 'title'], text);
  const command = proposedCommand({ log, catalogue, images, ...text }, inspected, items);
  print(describeInspected('Click log', inspected, true));
  if (items !== null) print(`\n${describeInspected('Catalogue', items, false)}`);
  print(`\n${command}`);
  return { log: inspected, catalogue: items, command };
}

function nothingToIngest(): CourierError {
  const remedy =
    'Name a click log with --log, or a known layout with --recipe and its folder with --data; --help lists every option.';
  return new CourierError('CONFIG_INVALID', 'There is nothing to ingest.', remedy);
}

/** What every log has columns for. */
const columnsOfLogs = ['user', 'item', 'time'] as const;

/** @throws CourierError CONFIG_INVALID where the command does not say what these are */
function requireColumns({ source, log }: Settings): void {
  if (source !== 'table' || !isSettings(log)) return;
  const missing = columnsOfLogs.filter((column) => log[column] === undefined);
  if (missing.length === 0) return;
  throw new CourierError(
    'CONFIG_INVALID',
    `Nothing says which column of the click log is the ${missing.join(', the ')}.`,
    `Name each: ${missing.map((column) => `--${column} COLUMN`).join(' ')}; courier ingest --inspect --log FILE proposes columns.`,
  );
}

/** The options by the key of the setting that each is short for. */
function ownSettings(options: Options): Record<string, unknown> {
  const { log, user, item, time, clicked, pageView, numeric, context, catalogue, catalogueItem } = options;
  const {
    image,
    title,
    categories,
    images,
    validationFrom,
    testFrom,
    name,
    side,
    seed,
    maxBadRows,
    append,
    download,
    overwrite,
    out,
  } = options;
  return {
    source: log === undefined ? undefined : 'table',
    'log.path': log,
    'log.user': user,
    'log.item': item,
    'log.time': time,
    'log.clicked': clicked,
    'log.clickedValues': options.clickedValues,
    'log.encoding': log === undefined ? undefined : options.encoding,
    'catalogue.encoding': catalogue === undefined ? undefined : options.encoding,
    'log.quote': log === undefined ? undefined : options.quote,
    'catalogue.quote': catalogue === undefined ? undefined : options.quote,
    minimumJoin: options.minimumJoin,
    'log.pageView': pageView,
    'log.numeric': numeric,
    'log.context': context,
    'catalogue.path': catalogue,
    'catalogue.item': catalogue === undefined ? catalogueItem : (catalogueItem ?? item),
    'catalogue.image': image,
    'catalogue.title': title,
    'catalogue.categories': categories,
    images,
    validationFrom,
    testFrom,
    name,
    side,
    seed,
    maxBadRows,
    append,
    download,
    overwrite,
    out,
  };
}
