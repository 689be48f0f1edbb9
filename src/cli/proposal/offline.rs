//! Voting on another machine: a file goes there, a signed vote comes back.

use super::ballot::{self, Voter};
use super::picture;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::options::Options;
use crate::cli::{private, tell};
use kmip_protocol::{Item as _, ProposalDetail, ProposalVoteRequest, Structure as _, Version, VoteDecision, tag};
use kmip_ttlv::{Reader, Writer};
use std::path::Path;

/// The longest file that is read: a proposal is bounded by the longest message.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Writes a proposal as it was shown: the Proposal structure in TTLV.
pub(super) fn export(proposal: &ProposalDetail, file: &Path) -> Outcome<()> {
    ballot::check(proposal)?;
    let mut writer = Writer::new();
    proposal.write_item(&mut writer, tag::PROPOSAL, Version::NEWEST);
    private::write(file, writer.as_bytes())
}

/// Shows an exported proposal, and signs a vote on it.
pub(super) fn sign(options: &Options, file: &Path, decision: VoteDecision, vote: &Path) -> Outcome<()> {
    let proposal = read_proposal(&bytes(file)?)?;
    tell(&picture::picture(&proposal)?);
    ballot::check(&proposal)?;
    let question = format!("Sign your vote ({decision})?");
    if !options.yes && !private::confirmed(&question)? {
        return Err("nothing was signed".to_owned().into());
    }
    let voter = match (&options.cert, &options.key) {
        (Some(cert), Some(key)) => Voter::read(cert, key)?,
        _ => Voter::of(&options.profile()?)?,
    };
    let request = ballot::vote(&proposal, &voter, decision, options.reason.clone(), ballot::OFFLINE)?;
    let mut writer = Writer::new();
    writer.structure(tag::REQUEST_PAYLOAD, |inner| request.write(inner, Version::NEWEST));
    private::write(vote, writer.as_bytes())
}

/// Reads a signed vote.
pub(super) fn import(vote: &Path) -> Outcome<ProposalVoteRequest> {
    let bytes = bytes(vote)?;
    let mut reader = Reader::new(&bytes);
    let request = reader.structure(tag::REQUEST_PAYLOAD, |inner| {
        ProposalVoteRequest::read(inner, Version::NEWEST)
    })?;
    reader.finish()?;
    Ok(request)
}

fn read_proposal(bytes: &[u8]) -> Outcome<ProposalDetail> {
    let mut reader = Reader::new(bytes);
    let proposal = reader.structure(tag::PROPOSAL, |inner| ProposalDetail::read(inner, Version::NEWEST))?;
    reader.finish()?;
    Ok(proposal)
}

fn bytes(path: &Path) -> Outcome<Vec<u8>> {
    use std::io::Read as _;
    let problem = |why: std::io::Error| Failure::usage(format!("{}: {why}", path.display()));
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(problem)?;
    file.take(LONGEST).read_to_end(&mut bytes).map_err(problem)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::proposal::ballot::tests::proposal;

    #[test]
    fn a_changed_file_is_neither_written_nor_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("proposal");
        export(&proposal(), &file).unwrap();
        let read = read_proposal(&bytes(&file).unwrap()).unwrap();
        assert!(read == proposal());
        let mut changed = proposal();
        changed.request_digest[0] ^= 1;
        assert!(export(&changed, &file).is_err());
        std::fs::write(&file, b"something else").unwrap();
        assert!(import(&file).is_err());
    }
}
