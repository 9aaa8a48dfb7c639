"""Class ids in the lexicon's own tables, after a data frame made floats of them."""

from __future__ import annotations

from actiseg_noise.lexicon_builder.decisions import read_decisions
from actiseg_noise.lexicon_builder.vocabulary import read_judgements


def test_class_ids_that_are_whole_number_floats_are_read(tmp_path):
    decisions, judgements = tmp_path / "decisions.csv", tmp_path / "judgements.csv"
    decisions.write_text("class_id,synset,match,why\n12.0,fridge.n.01,exact,plain\n")
    judgements.write_text("class_id,name,use,number\n12.0,fridge,write,singular\n")
    assert list(read_decisions(decisions)) == [12]
    assert list(read_judgements(judgements)) == [(12, "fridge")]
