"""`audit` measures any noisy split, and reports when it does not match its name."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from actiseg_data.annotations.lexicon import load_lexicon
from actiseg_data.annotations.masks import read_index_mask, write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.core.files import write_json
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS
from actiseg_data.layouts.image_sets import name_expressions_file, name_objects_file
from actiseg_data.layouts.opening import open_split
from actiseg_data.terminal.report_printing import print_report
from actiseg_noise.cli.corruption_report import describe_corruption
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.measurement.audit_claims import parse_claims
from actiseg_noise.measurement.audit_report import describe_audit
from actiseg_noise.measurement.auditing import audit
from actiseg_noise.measurement.proportions import Proportion
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.recipes.presets import load_preset
from actiseg_noise.verification.verification import verify
from tests.helpers.kitchens import make_kitchen
from tests.helpers.roots import clip, make_root

LEXICON = load_lexicon()
PROMPTS, OBJECTS = name_expressions_file("train", "promptaction"), name_objects_file("train")


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    return make_kitchen(tmp_path_factory.mktemp("audited") / "clean", 120)


@pytest.fixture(scope="module")
def released(kitchen, tmp_path_factory):
    out = tmp_path_factory.mktemp("released") / "kitchen_released-20"
    return corrupt(kitchen, load_preset("actiseg-nl/released-20").make_recipe(), out=out).out


def published(noisy, folder):
    """The two files that ActiSeg-NL publishes of a noisy train split."""
    folder.mkdir(parents=True)
    for name in (PROMPTS, OBJECTS):
        shutil.copy(noisy / IMAGE_SETS / name, folder / name)
    return folder


def recount(noisy):
    """Flips, renames and items as the two files of a split have them, by loops."""
    objects = json.loads((noisy / IMAGE_SETS / OBJECTS).read_text())["videos"]
    items = flips = rest = renames = names = classes = 0
    for video in objects.values():
        things = list(video["objects"].values())
        for at, thing in enumerate(things):
            items += 1
            others = things[:at] + things[at + 1 :]
            flipped = thing["class_id"] != thing["class_id_org"]
            renamed = not flipped and thing["category"] != thing["category_org"]
            flips += flipped
            written = {name.text for name in LEXICON.classes[thing["class_id_org"]].written}
            if not flipped and written - {thing["category_org"]}:
                rest += 1
                renames += renamed
            if flipped or renamed:
                called = {o[key] for o in others for key in ("category", "category_org")}
                names += thing["category"] in called
            if flipped:
                have = {o[key] for o in others for key in ("class_id", "class_id_org")}
                classes += thing["class_id"] in have
    return items, flips, rest, renames, names, classes


def test_figures_are_those_of_the_files(released):
    found = audit(released)
    words = found.text
    items, flips, rest, renames, names, classes = recount(released)
    assert (words.all.flips.items, words.all.flips.hits) == (items, flips)
    assert (words.all.substitutions.items, words.all.substitutions.hits) == (rest, renames)
    assert (words.name_collisions, words.class_collisions) == (names, classes)
    assert sum(group.flips.items for group in words.by_class.values()) == items
    assert sum(group.flips.hits for group in words.by_supercategory) == flips
    low, high = binomtest(flips, items).proportion_ci(0.999, method="wilson")
    assert words.all.flips.interval_999 == pytest.approx((low, high), abs=1e-6)


def test_the_published_levels_are_found_to_be_more_than_they_say(released, tmp_path, capsys):
    """About 20 % flips, as the name says, and the renames, which it does not say."""
    found = audit(published(released, tmp_path / "ImageSets_noise20_classid_prompt"))
    assert found.text.all.flips.rate == pytest.approx(0.2, abs=0.06)
    assert found.text.all.substitutions.rate == 1
    assert not found.ok
    assert any("differ from the clean ones" in line for line in found.findings)
    assert any("are the 20% that the name says" in line for line in found.agreements)
    print_report(describe_audit(found))
    told = capsys.readouterr().out
    assert "MISMATCH: " in told
    assert "does not match its recipe or its name" in told


def test_a_released_name_claims_renames(released, tmp_path):
    for noisy in (released, published(released, tmp_path / "kitchen_released-20")):
        found = audit(noisy)
        assert found.ok, found.findings
        assert any("renames within their class: 100.0%" in line for line in found.agreements)
    wrong = shutil.copytree(released, tmp_path / "kitchen_noise20")
    assert any("the name says 20%" in line for line in audit(wrong).findings)


@pytest.mark.parametrize(
    ("preset", "name"),
    [("actiseg-nl/text-40", "x_text-40"), ("actiseg/text-40", "ours_text-40")],
)
def test_splits_match_their_names(kitchen, tmp_path, preset, name):
    out = corrupt(kitchen, load_preset(preset).make_recipe(), out=tmp_path / name).out
    found = audit(out)
    assert found.ok, found.findings
    assert found.agreements
    # Also without the recipe, by the name alone.
    lists = published(out, tmp_path / "lists" / name)
    assert audit(lists).ok
    renamed = published(out, tmp_path / "lists" / name.replace("40", "10"))
    assert any("10%" in line for line in audit(renamed).findings)


def test_the_clean_dataset_replaces_missing_clean_text(kitchen, released, tmp_path):
    lists = published(released, tmp_path / "bare")
    for name, member in ((OBJECTS, "objects"), (PROMPTS, "expressions")):
        document = json.loads((lists / name).read_text())
        for video in document["videos"].values():
            for entry in video[member].values():
                for key in [key for key in entry if key.endswith("_org")]:
                    del entry[key]
        write_json(lists / name, document)
    with pytest.raises(InputError, match="do not have the clean text"):
        audit(lists)
    found = audit(lists, clean=kitchen, split="train")
    assert found.text == audit(released).text
    with pytest.raises(InputError, match="lacks"):
        audit(lists, clean=make_kitchen(tmp_path / "other", 3), split="train")


def test_contradictions_are_flips_whose_narration_names_the_clean_class(kitchen, tmp_path):
    pytest.importorskip("spacy", reason="spaCy is in the extra [text]")
    out = corrupt(kitchen, make_recipe("category", 1.0), out=tmp_path / "flipped").out
    both = corrupt(kitchen, make_recipe("category", 1.0, scope="both"), out=tmp_path / "both").out
    named = 0
    for sequence in open_split(kitchen, "train").sequences:
        text = sequence.narration.lower()
        named += sum(
            (label.class_id == 4 and "knife" in text)
            or (label.class_id == 41 and "carrots" in text)
            or (label.class_id == 13 and "cup" in text)
            or (label.class_id == 18 and "chopping board" in text)
            for label in sequence.objects
        )
    assert audit(out).text.contradictions == named > 50
    assert audit(both).text.contradictions == 0


def test_narrations_that_changed_are_counted(kitchen, tmp_path):
    pytest.importorskip("spacy", reason="spaCy is in the extra [text]")
    out = corrupt(kitchen, make_recipe("category", 0.5, scope="narration"), out=tmp_path / "told")
    found = audit(out.out)
    assert found.narrations == Proportion(120, out.summary["text"]["selected"])
    assert found.ok


def nl_masks(kitchen, folder, noisy):
    """Noisy masks as ActiSeg-NL writes them: clean copies beside those that changed."""
    for path in sorted((noisy / MASKS).rglob("*.png")):
        place = folder / path.relative_to(noisy / MASKS)
        mask = read_index_mask(path)
        clean = read_index_mask(kitchen / path.relative_to(noisy))
        write_index_mask(place, mask)
        if (mask != clean).any():
            write_index_mask(place.with_name(f"{place.stem}_org.png"), clean)
    return folder


def test_masks_are_measured_in_every_layout(kitchen, tmp_path):
    out = corrupt(
        kitchen,
        load_preset("actiseg-nl/mask-9").make_recipe(),
        out=tmp_path / "kitchen_mask-9",
        workers=2,
    ).out
    own = audit(out)
    assert own.masks.positive.rate > 0.9
    assert own.masks.positive.shift["q50"] == pytest.approx(4, abs=1)
    assert own.ok, own.findings
    assert own.text is None
    theirs = nl_masks(kitchen, tmp_path / "Annotations_Sparse_dilation_rate100_9by9", out)
    beside = audit(theirs, clean=kitchen, split="train")
    assert beside.masks == own.masks
    assert [claim.size for claim in beside.claims] == [None, 9]
    alone = audit(theirs)
    assert alone.masks.all.iou == own.masks.all.iou
    assert alone.masks.all.touched == own.masks.all.touched
    wrong = tmp_path / "Annotations_21by21"
    shutil.copytree(theirs, wrong)
    assert any("a square of 21 px" in line for line in audit(wrong, clean=kitchen).findings)


def test_untouched_and_missing_masks_are_reported(kitchen, released, tmp_path):
    assert audit(released).masks.untouched
    out = corrupt(kitchen, make_recipe("erode", 1.0), out=tmp_path / "noisy").out
    for path in sorted((out / MASKS).rglob("*.png"))[:3]:
        path.unlink()
    found = audit(out)
    assert found.masks.missing == 3
    assert any("3 frames" in line for line in found.findings)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ImageSets_noise40_classid_prompt", [("words", 0.4, None)]),
        ("visor_actiseg-nl-text-20_r0.2_s0", [("words", 0.2, None)]),
        ("visor_actiseg-nl-mixed-60-21_r0.6-1_s0", [("words", 0.6, None), ("masks", None, 21)]),
        ("visor_boundary_r0.4_s0", [("any", 0.4, None)]),
        ("visor_actiseg-boundary-60_r0.6_s3", [("masks", 0.6, None)]),
        (
            "Annotations_Sparse_dilation_1227_rate100_9by9",
            [("masks", 1.0, None), ("masks", None, 9)],
        ),
        ("visor_mask-15", [("masks", None, 15)]),
        ("my_split", []),
        ("run2_final", []),
        ("context20", []),
        ("visor_actiseg-text-20_r0.3_s0", [("words", 0.3, None)]),
        ("text2_final", []),
        ("visor_noise0.35", [("words", 0.35, None)]),
        ("noise20.5", []),
        ("mask-10", []),
        ("visor_text_r0.4-0.2_s0", []),
        ("visor-21_r0.4_s0", [("any", 0.4, None)]),
        # A number with letters or a unit behind it counts something else.
        ("text_10k_steps", []),
        ("480p_mixed_30fps", []),
        ("noise100k", []),
        ("noise0.4e5", []),
        ("noise40é", []),
        ("text_16_frames", []),
        ("prompt-50-epochs", []),
        ("mask-9px", []),
        ("mask_9_objects", []),
        ("3by3grid", []),
        # Nor does a number without a word before it that says of what.
        ("v2", []),
        ("20px", []),
        ("1e5", []),
        ("seed40", []),
        ("20260101", []),
        ("noise_20260101", []),
        ("lr0.01", []),
        ("200percent", []),
        # Several levels are a series, of which a folder is none.
        ("mask_9_15_21", []),
        ("noise20_40_60", []),
        ("text-0.2_0.4", []),
        # What does claim something.
        ("noise40%", [("words", 0.4, None)]),
        ("noise_5pct", [("words", 0.05, None)]),
        ("noise20_1", [("words", 0.2, None)]),
        ("text_rate0.4", [("words", 0.4, None)]),
        ("boundary-rate-0.4", [("masks", 0.4, None)]),
        ("text-40_10k_steps", [("words", 0.4, None)]),
        ("rate0.4", [("any", 0.4, None)]),
        ("r0.4", [("any", 0.4, None)]),
        ("40percent", [("any", 0.4, None)]),
        ("40pct", [("any", 0.4, None)]),
        ("12.5_percent", [("any", 0.125, None)]),
        ("text-40_boundary-20", [("words", 0.4, None), ("masks", 0.2, None)]),
    ],
)
def test_claims_are_read_off_names(tmp_path, name, expected):
    found = parse_claims(tmp_path / name)
    assert [(claim.medium, claim.rate, claim.size) for claim in found] == expected


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("X_Noise40%_final", "noise40%"),
        ("text_rate_0.4", "text_rate_0.4"),
        ("40 percent", "40 percent"),
        ("visor_r0.4", "r0.4"),
    ],
)
def test_claims_quote_the_name(tmp_path, name, said):
    (claim,) = parse_claims(tmp_path / name)
    assert claim.said == said


@pytest.mark.parametrize(
    ("name", "by_recipe"),
    [
        ("visor_text_r0.4_s0", True),
        ("visor_actiseg-text-40", True),
        ("visor_actiseg-nl-mixed-60-21_r0.6-1_s0", True),
        ("visor_val_text_r0.4_s0_0a1b2c", True),
        ("mixed-40", True),
        ("within-category-40-s1-val", True),
        ("noise40", False),
        ("noise-40", False),
        ("text-40_final", False),
        ("ours_text-40", False),
        ("r0.4", False),
    ],
)
def test_names_that_this_toolkit_gives_are_known(tmp_path, name, by_recipe):
    claims = parse_claims(tmp_path / name)
    assert {claim.by_recipe for claim in claims} == {by_recipe}


def test_a_name_is_compared_with_the_share_of_all_prompts(kitchen, tmp_path, capsys):
    """A recipe's rate is over what can change; a name like noise40 speaks of all prompts."""
    recipe = make_recipe("within-category", 0.4, parameters={"protect": [4, 13, 300, 301]})
    made = corrupt(kitchen, recipe, out=tmp_path / "kitchen_within-category_r0.4_s0")
    objects = json.loads((made.out / IMAGE_SETS / OBJECTS).read_text())["videos"].values()
    entries = [entry for video in objects for entry in video["objects"].values()]
    changed = sum(entry["category"] != entry["category_org"] for entry in entries)
    could = sum(
        entry["class_id_org"] not in (4, 13, 300, 301)
        and any(
            name.text != entry["category_org"]
            for name in LEXICON.classes[entry["class_id_org"]].written
        )
        for entry in entries
    )
    assert changed / len(entries) < 0.3 < changed / could
    text = made.summary["text"]
    assert (text["of_all"]["selected"], text["of_all"]["items"]) == (changed, len(entries))
    assert (text["could_change"]["selected"], text["could_change"]["items"]) == (changed, could)
    print_report(describe_corruption(made.summary))
    told = capsys.readouterr().out
    assert (
        f"text: {changed} of {len(entries)} prompts changed ({changed / len(entries):.1%}), "
        f"of the {could} that could change ({changed / could:.1%})" in told
    )

    shares = f"{changed / could:.1%} of the {could} that could be"
    of_all = f"{changed / len(entries):.1%} of all {len(entries)} prompts"
    own = audit(made.out)
    assert own.ok, own.findings
    archived = audit(made.out.rename(tmp_path / "within-category-40"))
    assert archived.ok, archived.findings
    assert any(shares in line and of_all in line for line in own.agreements)
    wrong = audit(archived.noisy.rename(tmp_path / "kitchen_noise40"))
    (finding,) = wrong.findings
    assert of_all in finding
    assert "the 40% that the name says" in finding
    assert audit(wrong.noisy.rename(tmp_path / f"noise{round(100 * changed / len(entries))}")).ok


@given(
    keyword=st.sampled_from(["text", "noise", "boundary-", "rate", "mask-", "released_", "r0."]),
    number=st.integers(3, 99),
    letters=st.text("abcdefghijklmnoqrstuvwxyzäß", min_size=1, max_size=9),
    behind=st.sampled_from(["", "_steps", "-final", "/lists"]),
)
def test_a_number_with_letters_behind_it_claims_nothing(keyword, number, letters, behind):
    assert parse_claims(Path("/data/plain") / f"{keyword}{number}{letters}{behind}") == ()


@pytest.mark.parametrize(
    ("name", "holds"), [("40percent", True), ("r0.4", True), ("rate90", False)]
)
def test_a_share_without_medium_is_compared_with_the_noisy_medium(kitchen, tmp_path, name, holds):
    words = corrupt(kitchen, make_recipe("category", 0.4), out=tmp_path / "words").out
    assert audit(published(words, tmp_path / "lists" / name)).ok is holds
    masks = corrupt(kitchen, make_recipe("dilate", 0.4), out=tmp_path / "masks").out
    theirs = shutil.copytree(masks / MASKS, tmp_path / name)
    found = audit(theirs, clean=kitchen)
    assert found.ok is holds
    assert found.agreements + found.findings


def test_summaries_of_early_releases_are_verified(kitchen, tmp_path):
    out = corrupt(kitchen, make_recipe("text", 0.4), out=tmp_path / "noisy").out
    summary = json.loads((out / "summary.json").read_text())
    early = dict(summary["text"])
    del early["could_change"], early["of_all"]
    write_json(out / "summary.json", summary | {"text": early})
    assert verify(out, kitchen).ok
    print_report(describe_corruption(summary | {"text": early}))
    wrong = {**summary["text"], "of_all": summary["text"]["could_change"] | {"items": 3}}
    write_json(out / "summary.json", summary | {"text": wrong})
    assert not verify(out, kitchen).ok


def test_the_folder_above_may_carry_the_name(tmp_path):
    (claim,) = parse_claims(tmp_path / "ImageSets_noise60" / "ImageSets")
    assert claim.rate == 0.6


def test_a_folder_without_noisy_split_is_an_error(tmp_path, kitchen):
    with pytest.raises(InputError, match="has no noisy text of a split; has no noisy masks"):
        audit(tmp_path)
    with pytest.raises(InputError, match=r"not have the clean text .*; has no clean masks"):
        audit(kitchen)


def test_of_several_splits_one_must_be_named(released, tmp_path):
    lists = published(released, tmp_path / "two")
    for name in (PROMPTS, OBJECTS):
        shutil.copy(lists / name, lists / name.replace("train", "val"))
    with pytest.raises(InputError, match="train, val"):
        audit(lists)
    assert audit(lists, split="val").text == audit(released).text


def test_files_that_disagree_are_an_error(released, tmp_path):
    lists = published(released, tmp_path / "bad")
    document = json.loads((lists / PROMPTS).read_text())
    entry = next(iter(document["videos"].values()))["expressions"]["0"]
    entry["class_id"] = entry["class_id"] + 1
    write_json(lists / PROMPTS, document)
    with pytest.raises(InputError, match="in the expressions file"):
        audit(lists)


def test_the_document_is_plain_json_and_workers_do_not_matter(kitchen, tmp_path):
    out = corrupt(kitchen, make_recipe("mixed", 0.4), out=tmp_path / "mixed").out
    found = audit(out)
    document = found.to_dict()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["schema"] == "actiseg/audit/1"
    assert replace(found, noisy=out) == audit(out)


def test_classes_that_the_lexicon_lacks_are_counted(released):
    few = replace(LEXICON, classes={4: LEXICON.classes[4]})
    found = audit(released, lexicon=few)
    assert found.text.unknown_classes == found.text.all.flips.items - sum(
        group.flips.items for at, group in found.text.by_class.items() if at == 4
    )


def test_without_lists_nothing_is_said_of_active_objects(kitchen, tmp_path):
    recipe = load_preset("actiseg-nl/mask-9").make_recipe()
    out = corrupt(kitchen, recipe, out=tmp_path / "noisy").out
    theirs = nl_masks(kitchen, tmp_path / "Annotations_dilation_rate100_9by9", out)
    alone = audit(theirs)
    assert (alone.masks.positive, alone.masks.inactive, alone.masks.by_class) == (None, None, {})
    assert alone.findings == alone.agreements == ()
    assert "`clean`" in alone.left_out["claims on masks"]
    assert audit(theirs, clean=kitchen, split="train").ok


def test_renames_are_counted_over_the_names_of_the_files_too(released, tmp_path):
    """Where a file's names are fewer than the lexicon's, all that could be renamed were."""
    lists = published(released, tmp_path / "ImageSets_noise20")
    names = {}
    for video in json.loads((lists / OBJECTS).read_text())["videos"].values():
        for entry in video["objects"].values():
            for end in ("", "_org"):
                names.setdefault(entry[f"class_id{end}"], set()).add(entry[f"category{end}"])
    document = json.loads((lists / OBJECTS).read_text())
    rest = renamed = 0
    for video in document["videos"].values():
        for entry in video["objects"].values():
            if entry["class_id"] == entry["class_id_org"] and len(names[entry["class_id"]]) > 1:
                rest += 1
                renamed += entry["category"] != entry["category_org"]
    assert audit(lists).text.renames_seen == Proportion(rest, renamed)


def test_flips_to_a_class_that_includes_the_clean_class_are_counted(kitchen, tmp_path):
    recipe = make_recipe("category", 1.0, parameters={"pool": [11], "allow_collisions": True})
    found = audit(corrupt(kitchen, recipe, out=tmp_path / "hands").out)
    hands = sum(
        label.class_id in (300, 301)
        for sequence in open_split(kitchen, "train").sequences
        for label in sequence.objects
    )
    assert found.text.harmless == hands > 20
    near = make_recipe("category", 1.0, parameters={"flip": "near"})
    assert audit(corrupt(kitchen, near, out=tmp_path / "near").out).text.harmless == 0


def test_another_dataset_is_reported_in_one_line(released, tmp_path):
    other = make_kitchen(tmp_path / "other", 3)
    with pytest.raises(InputError, match=r"lacks .* of .* objects") as caught:
        audit(released, clean=other)
    assert len(caught.value.problems) == 1
    with pytest.raises(InputError, match="no such folder"):
        audit(tmp_path / "nowhere")


def test_sequences_without_a_change_count_too(kitchen, tmp_path):
    """ActiSeg-NL writes clean copies only where a mask changed: a sequence may have none."""
    recipe = make_recipe("dilate", 0.1)
    out = corrupt(kitchen, recipe, out=tmp_path / "noisy").out
    alone = audit(nl_masks(kitchen, tmp_path / "Annotations_rate10", out))
    assert alone.masks.all.items == audit(out).masks.all.items


def test_files_with_two_clean_classes_of_an_object_are_an_error(released, tmp_path):
    lists = published(released, tmp_path / "bad")
    document = json.loads((lists / PROMPTS).read_text())
    next(iter(document["videos"].values()))["expressions"]["0"]["class_id_org"] += 1
    write_json(lists / PROMPTS, document)
    with pytest.raises(InputError, match="class_id_org"):
        audit(lists)


def test_clean_prompts_must_begin_with_the_clean_name(released, tmp_path):
    lists = published(released, tmp_path / "bad")
    document = json.loads((lists / PROMPTS).read_text())
    next(iter(document["videos"].values()))["expressions"]["0"]["exp_org"] = "spade"
    write_json(lists / PROMPTS, document)
    assert audit(lists).text.misnamed == 1


@pytest.mark.parametrize("name", ["../train", "a/b", ""])
def test_the_name_of_a_split_leads_nowhere(released, name):
    with pytest.raises(InputError):
        audit(released, split=name or "..")


def test_noisy_masks_whose_source_is_away_ask_for_the_clean_dataset(tmp_path):
    root = make_root(tmp_path / "clean")
    out = corrupt(root, make_recipe("boundary", 0.6), out=tmp_path / "noisy").out
    root.rename(tmp_path / "moved")
    assert audit(out).left_out["masks"] == (
        f"the clean dataset that they were made from is not at {root}; give it as `clean` to "
        "measure them"
    )
    assert audit(out, tmp_path / "moved").masks is not None


def test_a_clean_list_next_to_a_noisy_split_is_not_compared_with_its_recipe(tmp_path):
    root = make_root(tmp_path / "clean", [clip(n) for n in range(1, 5)])
    make_root(root, [clip(n) for n in range(5, 9)], "val")
    out = corrupt(
        root, make_recipe("boundary", 0.6), out=tmp_path / "noisy", with_clean=["val"]
    ).out
    with pytest.raises(InputError, match="'val' is a clean copy next to the noisy split 'train'"):
        audit(out, split="val")
    with pytest.raises(InputError, match=r"has no split 'trian'; did you mean 'train'\?"):
        audit(out, split="trian")
    found = audit(out, root, "val")
    assert found.recipe is None
    assert found.masks is not None
    assert found.masks.untouched
    assert found.ok
