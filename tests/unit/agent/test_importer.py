"""Import of a set.

given a well-formed file -> its texts byte for byte, with the line of each
given mistakes -> all of them, each with file:line and a remedy, and nothing else
"""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.agent import importer, tables
from assay.agent.importer import MAX_TEXT_BYTES, read_set
from assay.errors import BadInput
from assay.types import Kind


def write(folder, name, data):
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def mistakes(path, **options):
    """What `read_set` says of a file, one line a mistake."""
    with pytest.raises(BadInput) as caught:
        read_set(path, **options)
    assert caught.value.remedy
    return caught.value.message.split("\n")[1:] or [caught.value.message]


def one_mistake(path, where, what, **options):
    found = mistakes(path, **options)
    assert len(found) == 1, found
    assert f"{path}:{where}: " in found[0] if where else str(path) in found[0]
    assert what in found[0]


# -- well-formed files


def test_csv__all_columns__every_field(tmp_path):
    path = write(tmp_path, "a.csv", "kind,tags,group,reference,prompt\n,a; b,doc,hola,hello\ndecoy,,,,trap\n")
    first, second = read_set(path)
    assert (first.kind, first.prompt, first.reference, first.group, first.tags) == (
        Kind.SCORED,
        b"hello",
        b"hola",
        "doc",
        ("a", "b"),
    )
    assert (second.kind, second.reference, second.where) == (Kind.DECOY, b"", f"{path}:3")


def test_csv__quoted_newlines_crlf_and_bom__texts_kept_and_lines_counted(tmp_path):
    data = b'\xef\xbb\xbfprompt,reference\r\n"two\r\nlines","say ""hi"""\r\n\r\nnext,last\r\n'
    first, second = read_set(write(tmp_path, "a.csv", data))
    assert (first.prompt, first.reference) == (b"two\r\nlines", b'say "hi"')
    assert first.where.endswith("a.csv:2")
    assert (second.prompt, second.where.rsplit(":", 1)[1]) == (b"next", "5")


def test_tsv__quotes_commas_and_spaces__are_letters(tmp_path):
    path = write(tmp_path, "a.tsv", 'prompt\treference\n"Bars," he said, "are gone."\t “Sí” \r\n')
    (item,) = read_set(path)
    assert (item.prompt, item.reference) == (b'"Bars," he said, "are gone."', " “Sí” ".encode())


def test_tsv__line_separators_of_unicode__are_letters(tmp_path):
    path = write(tmp_path, "a.tsv", "prompt\treference\na\u2028b\x0bc\td\x85e\n")
    (item,) = read_set(path)
    assert (item.prompt, item.reference) == ("a\u2028b\x0bc".encode(), "d\x85e".encode())


def test_jsonl__tags_as_list_and_blank_lines__every_field(tmp_path):
    rows = [{"prompt": "a\n", "reference": "b", "tags": ["x"], "group": "g"}, {"prompt": "c", "reference": "", "kind": "decoy"}]
    path = write(tmp_path, "a.jsonl", "\ufeff" + "\n\n".join(map(json.dumps, rows)))
    first, second = read_set(path)
    assert (first.prompt, first.tags, first.group) == (b"a\n", ("x",), "g")
    assert (second.kind, second.where) == (Kind.DECOY, f"{path}:3")


def test_decoys_file__without_references__all_decoys_after_the_set(tmp_path):
    path = write(tmp_path, "a.csv", "prompt,reference\na,b\n")
    decoys = write(tmp_path, "d.jsonl", '{"prompt":"trap"}\n')
    assert [(item.kind, item.prompt) for item in read_set(path, decoys)] == [(Kind.SCORED, b"a"), (Kind.DECOY, b"trap")]


def test_columns__renamed_and_ignored__as_told(tmp_path):
    path = write(tmp_path, "a.tsv", "id\tsource\treference\n1\ta\tb\n")
    (item,) = read_set(path, columns={"source": "prompt"}, ignored={"id"})
    assert item.prompt == b"a"


def test_columns__a_known_one_is_ignored__it_is_not_read(tmp_path):
    path = write(tmp_path, "a.csv", "prompt,reference,group\na,b,g\n")
    assert read_set(path, ignored={"group"})[0].group == ""


TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=40).filter(lambda text: text.strip())


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=8, unique_by=lambda row: row[0]))
def test_csv_and_jsonl__any_texts__come_back_byte_for_byte(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("import")
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([("prompt", "reference"), *rows])
    expected = [(prompt.encode(), reference.encode()) for prompt, reference in rows]
    as_csv = write(folder, "a.csv", out.getvalue())
    as_json = write(folder, "a.jsonl", "".join(json.dumps({"prompt": p, "reference": r}) + "\n" for p, r in rows))
    for path in (as_csv, as_json):
        assert [(item.prompt, item.reference) for item in read_set(path)] == expected


@given(st.binary(max_size=200), st.sampled_from(["csv", "tsv", "jsonl"]), st.booleans())
def test_any_bytes__a_set_or_bad_input_and_nothing_else(tmp_path_factory, data, form, headed):
    header = {"csv": b"prompt,reference\n", "tsv": b"prompt\treference\n", "jsonl": b""}[form]
    path = write(tmp_path_factory.mktemp("import"), f"a.{form}", header * headed + data)
    try:
        items = read_set(path)
    except BadInput as error:
        said = error.message
    else:
        said = str(path) * all(item.prompt.decode().strip() for item in items)
    assert str(path) in said


# -- mistakes


@pytest.mark.parametrize(
    ("data", "where", "what"),
    [
        ("prompt,reference\na,b\nc\n", 3, "1 fields where the header has 2"),
        ("prompt,reference\na,b,c\n", 2, "3 fields where the header has 2"),
        ('prompt,reference\na,b\n"open,c\n', 3, "not CSV"),
        ('prompt,reference\na,"b"x\n', 2, "not CSV"),
        ('prompt,reference\na,b\n"x\ny",c\na,d\n', 5, "the same prompt as"),
        ("prompt,reference\n,b\n", 2, "prompt is empty"),
        ("prompt,reference\n \t,b\n", 2, "prompt is empty"),
        ("prompt,reference\na,\n", 2, "reference is empty"),
        ("prompt,reference,kind\na,b,trap\n", 2, "kind is 'trap'"),
        ("prompt,reference,source,id\na,b,c,d\n", 1, "unknown columns: 'id', 'source'"),
        ("prompt,group\na,b\n", 1, "no column reference"),
        ("prompt,reference,prompt\na,b,c\n", 1, "columns named twice: prompt"),
        (b"prompt,reference\na,b\xff\n", 2, "byte 4 of the line is not UTF-8"),
        (b"\xff\xfep\x00", 1, "is UTF-16"),
        (b"prompt,reference\ra,b\r", 1, "bare carriage return"),
        ("prompt,reference,group\na,b,x\x00y\n", 2, "group is no short text"),
        (f"prompt,reference\na,{'b' * (MAX_TEXT_BYTES + 1)}\n", 2, f"reference has {MAX_TEXT_BYTES + 1} bytes"),
        (f"prompt,reference,tags\na,b,{';'.join(map(str, range(40)))}\n", 2, "tags are no list"),
        ("", 1, "no header"),
        ("prompt,reference\n", None, "no item counts"),
        ("prompt,reference,kind\na,b,decoy\n", None, "no item counts"),
    ],
)
def test_csv__one_mistake__named_with_its_line(tmp_path, data, where, what):
    one_mistake(write(tmp_path, "a.csv", data), where, what)


@pytest.mark.parametrize(
    ("data", "where", "what"),
    [
        ('{"prompt":"a","reference":"b"}\n{"prompt":\n', 2, "not JSON"),
        ("[1]\n", 1, "not a JSON object"),
        ('{"prompt":"a"}\n', 1, "reference is missing"),
        ('{"prompt":7,"reference":"b"}\n', 1, "prompt is not a text"),
        ('{"prompt":"a","reference":"b","answer":"c"}\n', 1, "unknown fields: 'answer'"),
        ('{"prompt":"a","prompt":"c","reference":"b"}\n', 1, "given twice"),
        ('{"prompt":"\\ud800","reference":"b"}\n', 1, "not JSON"),
        ('{"prompt":"a","reference":"b","tags":[1]}\n', 1, "tags are no list"),
        ('{"prompt":"a","reference":"b","kind":1}\n', 1, "kind is"),
        ("[" * 200_000 + "\n", 1, "not JSON"),
        ('{"prompt":"a","reference":"b","tags":' + "9" * 10_000 + "}\n", 1, "not JSON"),
    ],
)
def test_jsonl__one_mistake__named_with_its_line(tmp_path, data, where, what):
    one_mistake(write(tmp_path, "a.jsonl", data), where, what)


def test_tsv__field_quoted_as_by_a_spreadsheet__named_rather_than_guessed(tmp_path):
    one_mistake(write(tmp_path, "a.tsv", 'prompt\treference\n"say ""hi"" now"\tb\n'), 2, "quoted as in CSV")


def test_many_mistakes__all_counted_twenty_shown(tmp_path):
    path = write(tmp_path, "a.csv", "prompt,reference\n" + "only\n" * 30)
    found = mistakes(path)
    assert len(found) == 21
    assert "10 more" in found[-1]
    assert f"{path}:2: " in found[0]


def test_mistakes_of_different_kinds__are_all_told_at_once(tmp_path):
    path = write(tmp_path, "a.csv", b"prompt,reference\n,b\nc\nd,\xff\ne,f\ne,g\n")
    found = "\n".join(mistakes(path))
    assert all(f"{path}:{line}: " in found for line in (2, 3, 4, 6))


def test_decoy_with_a_prompt_of_the_set__is_a_duplicate(tmp_path):
    path = write(tmp_path, "a.csv", "prompt,reference\na,b\n")
    decoys = write(tmp_path, "d.csv", "prompt\na\n")
    (found,) = mistakes(path, decoys=decoys)
    assert f"{decoys}:2: the same prompt as {path}:2" in found


def test_scored_item_in_the_decoys_file__is_refused(tmp_path):
    path = write(tmp_path, "a.csv", "prompt,reference\na,b\n")
    decoys = write(tmp_path, "d.csv", "prompt,kind\nc,scored\n")
    assert "in a file of decoys" in mistakes(path, decoys=decoys)[0]


def test_file_over_the_limit__is_refused_by_size(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MAX_FILE_BYTES", 20)
    one_mistake(write(tmp_path, "a.csv", "prompt,reference\na,b\n"), None, "larger than 20 bytes")


def test_set_over_the_limit__is_refused_by_count(tmp_path, monkeypatch):
    monkeypatch.setattr(importer, "MAX_ITEMS", 1)
    one_mistake(write(tmp_path, "a.csv", "prompt,reference\na,b\nc,d\n"), None, "2 items")


@pytest.mark.parametrize(("name", "what"), [("a.txt", "no such kind of file"), ("missing.csv", "cannot be read")])
def test_file_that_is_none__is_named(tmp_path, name, what):
    path = tmp_path / name
    if name == "a.txt":
        path.write_text("prompt,reference\n")
    one_mistake(path, None, what)
